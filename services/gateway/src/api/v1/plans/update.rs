//! `PATCH /v1/plans/{id}`: changes what the body names.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Deserialize;
use tintype_model::{PlanId, schedule::Schedule};

use super::View;
use crate::{
    Shared,
    api::v1::tenants::update::given,
    body::Body,
    caller::Tenant,
    etag::{self, Believed, Tag},
    id::Id,
    problem::Problem,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    name: Option<String>,
    /// `null`: from now on it runs only when somebody starts it; left out it stays.
    #[serde(default, deserialize_with = "given")]
    schedule: Option<Option<Schedule>>,
}

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Tenant(tenant): Tenant,
    Id(id): Id<PlanId>,
    believed: Believed,
    Body(input): Body<Input>,
) -> Result<(Tag, Json<View>), Problem> {
    let ports = shared.app.ports();
    let found = ports.store.plan(tenant, id).await?;
    let found = found.ok_or_else(|| Problem::not_found("the plan"))?;
    believed.check(&found)?;
    let name = input.name.unwrap_or_else(|| found.name.clone());
    let schedule = input.schedule.unwrap_or_else(|| found.schedule.clone());
    let plan = shared.app.update_plan(&found, &name, schedule).await?;
    let tag = etag::of(&plan);
    Ok((tag, Json(View::of(plan, ports.clock.now()))))
}
