//! Messages that are never delivered again: look at them, give them another chance, forget them.

use clap::Subcommand;
use tintype_app::App;

use super::show;
use crate::{
    failure::Failure,
    render::{self, Table, counted, out, printable},
};

/// What to do with dead letters.
#[derive(Debug, Subcommand)]
pub(super) enum Task {
    /// Show the oldest, with the reason of each
    List {
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
    },
    /// Put their shards back into the backlog and deliver them again
    Redrive {
        /// The oldest so many
        #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
    },
    /// Forget all of them; shards that were set aside stay so
    Purge {
        /// Yes, forget them
        #[arg(long)]
        yes: bool,
    },
}

impl Task {
    pub(super) async fn run(self, app: &App, json: bool) -> Result<(), Failure> {
        match self {
            Self::List { limit } => list(app, limit, json).await,
            Self::Redrive { limit } => redrive(app, limit, json).await,
            Self::Purge { yes } => purge(app, yes, json).await,
        }
    }
}

async fn list(app: &App, limit: u32, json: bool) -> Result<(), Failure> {
    let letters = app.ports().queue.dead_letters(limit as usize).await?;
    show(json, &letters, "there are no dead letters", || {
        let mut table = Table::new(["died at", "tenant", "shard", "reason"]).words(4);
        for letter in &letters {
            let message = letter.message.as_ref();
            let at = letter.died_at.map(|at| at.format("%F %T UTC").to_string());
            table.row([
                at.unwrap_or_else(|| "?".into()),
                message.map_or_else(|| "?".into(), |it| it.tenant.to_string()),
                message.map_or_else(|| "?".into(), |it| it.shard.to_string()),
                printable(&letter.reason),
            ]);
        }
        table
    });
    Ok(())
}

async fn redrive(app: &App, limit: u32, json: bool) -> Result<(), Failure> {
    let redriven = app.redrive_dead_letters(limit as usize).await?;
    if json {
        render::json(&redriven);
        return Ok(());
    }
    out(&format!(
        "{} delivered again, {} put back",
        counted(redriven.messages, "message"),
        counted(redriven.shards, "shard")
    ));
    if redriven.left > 0 {
        out(&format!(
            "{} cannot be understood and stay; `tintype admin dead-letters purge --yes` forgets them",
            counted(redriven.left, "message")
        ));
    }
    Ok(())
}

async fn purge(app: &App, yes: bool, json: bool) -> Result<(), Failure> {
    if !yes {
        return Err(Failure::usage("purging forgets all dead letters")
            .with_action("look at them with `tintype admin dead-letters list`, then add --yes"));
    }
    let purged = app.ports().queue.purge_dead_letters().await?;
    if json {
        render::json(&serde_json::json!({ "purged": purged }));
    } else {
        out(&format!("{} forgotten", counted(purged, "dead letter")));
    }
    Ok(())
}
