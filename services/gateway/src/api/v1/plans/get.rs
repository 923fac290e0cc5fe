//! `GET /v1/plans/{id}`: one plan.

use std::sync::Arc;

use axum::{Json, extract::State};
use tintype_model::PlanId;

use super::View;
use crate::{
    Shared,
    caller::Tenant,
    etag::{self, Tag},
    id::Id,
    problem::Problem,
};

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Tenant(tenant): Tenant,
    Id(id): Id<PlanId>,
) -> Result<(Tag, Json<View>), Problem> {
    let ports = shared.app.ports();
    let found = ports.store.plan(tenant, id).await?;
    let found = found.ok_or_else(|| Problem::not_found("the plan"))?;
    let tag = etag::of(&found);
    Ok((tag, Json(View::of(found, ports.clock.now()))))
}
