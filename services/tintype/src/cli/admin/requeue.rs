//! Put shards back into the backlog.

use std::process::ExitCode;

use clap::Args;
use tintype_app::{App, operate};
use tintype_model::ShardId;

use crate::{
    failure::Failure,
    render::{self, counted, out},
};

/// Shards that `all` puts back in one go, at most.
const AT_ONCE: u32 = 10_000;

/// Which shards.
#[derive(Debug, Args)]
pub(super) struct Requeue {
    /// Shards to put back
    #[arg(value_name = "SHARD", required_unless_present = "all")]
    shards: Vec<ShardId>,
    /// All that were set aside
    #[arg(long, conflicts_with = "shards")]
    all: bool,
    /// Even if a worker holds it; the worker loses its lease
    #[arg(long)]
    even_leased: bool,
}

impl Requeue {
    pub(super) async fn run(self, app: &App, json: bool) -> Result<ExitCode, Failure> {
        let which = match self.even_leased {
            true => operate::Requeue::EvenLeased,
            false => operate::Requeue::Idle,
        };
        let shards = match self.all {
            true => {
                let aside = app.ports().store.shards_set_aside(AT_ONCE).await?;
                aside.into_iter().map(|it| it.shard.id).collect()
            }
            false => self.shards,
        };
        let mut back = Vec::with_capacity(shards.len());
        for shard in shards {
            back.push(app.requeue_shard(shard, which).await?);
        }
        if json {
            render::json(&serde_json::json!({ "data": back }));
        } else {
            out(&format!("{} put back", counted(back.len() as u64, "shard")));
        }
        Ok(ExitCode::SUCCESS)
    }
}
