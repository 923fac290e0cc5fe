//! `POST /v1/plans/{id}/runs`: starts a run.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
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
    /// What a person picks at Google.
    Picks,
}

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Tenant(tenant): Tenant,
    Id(plan): Id<PlanId>,
    headers: HeaderMap,
    Body(input): Body<Input>,
) -> Result<(StatusCode, Json<View>), Problem> {
    let choice = match input.mode {
        Mode::Full => RunChoice::Full,
        Mode::Routine => RunChoice::Routine,
        Mode::Picks => RunChoice::Picks,
    };
    // One that cannot be read is as good as none (W3C Trace Context, 4.2).
    let parent = headers.get("traceparent");
    let asked_in = parent.and_then(|it| it.to_str().ok()?.parse().ok());
    let run = shared
        .app
        .start_asked_run(tenant, plan, choice, asked_in)
        .await?;
    Ok((StatusCode::CREATED, Json(run.into())))
}
