//! What each cloud project may still spend today.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tintype_app::App;
use tintype_model::quota::{CloudProject, QuotaDay, QuotaKind};

use super::show;
use crate::{
    failure::Failure,
    render::{Table, count, span},
};

#[derive(Serialize)]
struct Row {
    project: CloudProject,
    kind: QuotaKind,
    limit: u64,
    /// Spent, or leased to a counter that has not given it back.
    leased: u64,
    left: u64,
    /// Google said that the day is over.
    exhausted: bool,
    resets_at: DateTime<Utc>,
}

pub(super) async fn run(app: &App, json: bool) -> Result<(), Failure> {
    let ports = app.ports();
    let now = ports.clock.now();
    let ledger = ports.store.quota_rows(QuotaDay::at(now)).await?;
    let projects: BTreeSet<&CloudProject> = ledger.iter().map(|row| &row.project).collect();
    let mut rows = Vec::new();
    for project in projects {
        for kind in QuotaKind::ALL {
            let standing = ports.quota.standing(project, kind).await?;
            let noted = ledger
                .iter()
                .find(|row| row.project == *project && row.kind == kind);
            rows.push(Row {
                project: project.clone(),
                kind,
                limit: standing.limit,
                leased: standing.leased,
                left: standing.limit.saturating_sub(standing.leased),
                exhausted: noted.is_some_and(|row| row.exhausted),
                resets_at: standing.resets_at,
            });
        }
    }
    show(json, &rows, "no quota was used today", || {
        let mut table = Table::new([
            "cloud project",
            "of",
            "google says",
            "limit",
            "used",
            "left",
            "day ends in",
        ])
        .words(3);
        for row in &rows {
            table.row([
                row.project.to_string(),
                row.kind.as_str().into(),
                if row.exhausted { "used up" } else { "-" }.into(),
                count(row.limit),
                count(row.leased),
                count(row.left),
                span((row.resets_at - now).to_std().unwrap_or_default()),
            ]);
        }
        table
    });
    Ok(())
}
