//! `POST /v1/runs/{id}/pause`, `/resume`, `/cancel`: what a person may ask of a run.

use std::sync::Arc;

use axum::{Json, extract::State};
use tintype_model::RunId;

use super::Status;
use crate::{Shared, caller::Tenant, id::Id, problem::Problem};

pub(crate) async fn pause(
    State(shared): State<Arc<Shared>>,
    Tenant(tenant): Tenant,
    Id(id): Id<RunId>,
) -> Result<Json<Status>, Problem> {
    Ok(Json(shared.app.pause_run(tenant, id).await?.into()))
}

pub(crate) async fn resume(
    State(shared): State<Arc<Shared>>,
    Tenant(tenant): Tenant,
    Id(id): Id<RunId>,
) -> Result<Json<Status>, Problem> {
    Ok(Json(shared.app.resume_run(tenant, id).await?.into()))
}

pub(crate) async fn cancel(
    State(shared): State<Arc<Shared>>,
    Tenant(tenant): Tenant,
    Id(id): Id<RunId>,
) -> Result<Json<Status>, Problem> {
    Ok(Json(shared.app.cancel_run(tenant, id).await?.into()))
}
