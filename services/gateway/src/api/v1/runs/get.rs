//! `GET /v1/runs/{id}`: one run, with its counts and when it will be done.

use std::sync::Arc;

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::Serialize;
use tintype_model::{RunId, forecast::Forecast, progress::Progress, run::RunMode};

use super::View;
use crate::{Shared, caller::Tenant, id::Id, problem::Problem};

/// A run with everything there is to say of it.
#[derive(Debug, Serialize)]
pub(crate) struct Whole {
    #[serde(flatten)]
    run: View,
    progress: Progress,
    shards: Shards,
    /// For what was found so far; `null` when there is nothing to foresee.
    forecast: Option<Forecast>,
    /// Where a person picks for it; `null` when it waits for nobody to pick.
    pick: Option<Pick>,
}

#[derive(Debug, Serialize)]
struct Pick {
    /// To be opened by the account's own person, in a window of its own.
    uri: String,
    /// When it closes.
    expires_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Serialize)]
struct Shards {
    open: u64,
    leased: u64,
}

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Tenant(tenant): Tenant,
    Id(id): Id<RunId>,
) -> Result<Json<Whole>, Problem> {
    let store = &shared.app.ports().store;
    let run = store.run(tenant, id).await?;
    let run = run.ok_or_else(|| Problem::not_found("the run"))?;
    let pick = match run.mode == RunMode::Picks && !run.status.state.is_final() {
        true => shared.app.pick_window(tenant, id).await?,
        false => None,
    };
    let progress = store.progress(tenant, id).await?;
    let shards = store.open_shards(tenant, id).await?;
    Ok(Json(Whole {
        run: run.into(),
        progress,
        shards: Shards {
            open: shards.open,
            leased: shards.leased,
        },
        forecast: shared.app.foresee(tenant, id).await?,
        pick: pick.map(|it| Pick {
            uri: it.uri,
            expires_at: it.expires_at,
        }),
    }))
}
