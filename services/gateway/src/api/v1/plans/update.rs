//! `PATCH /v1/plans/{id}`: changes what the body names.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Deserialize;
use tintype_model::{PlanId, schedule::Schedule};

use super::View;
use crate::{
    Shared, api::v1::tenants::update::given, body::Body, caller::Tenant, id::Id, problem::Problem,
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
    Body(input): Body<Input>,
) -> Result<Json<View>, Problem> {
    let ports = shared.app.ports();
    let found = ports.store.plan(tenant, id).await?;
    let found = found.ok_or_else(|| Problem::not_found("the plan"))?;
    let name = input.name.unwrap_or(found.name);
    let schedule = input.schedule.unwrap_or(found.schedule);
    let plan = shared.app.update_plan(tenant, id, &name, schedule).await?;
    Ok(Json(View::of(plan, ports.clock.now())))
}
