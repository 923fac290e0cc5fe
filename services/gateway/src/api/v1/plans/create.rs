//! `POST /v1/plans`: makes a plan, after its destination was written to once.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use tintype_app::setup::NewPlan;
use tintype_model::{
    ArchiveId, StorageId,
    plan::{Layout, PlanOptions},
    schedule::Schedule,
};

use super::View;
use crate::{
    Shared,
    body::Body,
    caller::Tenant,
    etag::{self, Tag},
    problem::Problem,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    name: String,
    source: StorageId,
    destination: StorageId,
    #[serde(default)]
    layout: Layout,
    #[serde(default)]
    recipients: Vec<String>,
    schedule: Option<Schedule>,
    /// An archive that is there already, to go on with it.
    archive: Option<ArchiveId>,
}

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Tenant(tenant): Tenant,
    Body(input): Body<Input>,
) -> Result<(StatusCode, Tag, Json<View>), Problem> {
    let new = NewPlan {
        name: input.name,
        source: input.source,
        destination: input.destination,
        options: PlanOptions {
            layout: input.layout,
            recipients: input.recipients,
        },
        schedule: input.schedule,
        archive: input.archive,
    };
    let plan = shared.app.create_plan(tenant, new).await?;
    let now = shared.app.ports().clock.now();
    let tag = etag::of(&plan);
    Ok((StatusCode::CREATED, tag, Json(View::of(plan, now))))
}
