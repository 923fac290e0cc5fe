//! `POST /v1/plans/{id}/runs`: starts a run.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use tintype_app::runs::RunChoice;
use tintype_model::PlanId;

use super::View;
use crate::{Shared, body::Body, caller::Tenant, id::Id, problem::Problem};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    #[serde(default)]
    mode: Mode,
}

/// How much of the library to list.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    /// Everything.
    Full,
    /// What is new.
    #[default]
    Routine,
}

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Tenant(tenant): Tenant,
    Id(plan): Id<PlanId>,
    Body(input): Body<Input>,
) -> Result<(StatusCode, Json<View>), Problem> {
    let choice = match input.mode {
        Mode::Full => RunChoice::Full,
        Mode::Routine => RunChoice::Routine,
    };
    let run = shared.app.start_run(tenant, plan, choice).await?;
    Ok((StatusCode::CREATED, Json(run.into())))
}
