//! `GET /v1/runs/{id}`: one run, with its counts and when it will be done.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Serialize;
use tintype_model::{RunId, forecast::Forecast, progress::Progress};

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
    }))
}
