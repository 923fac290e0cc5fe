//! `GET /v1/plans`: the tenant's plans, oldest first.

use std::sync::Arc;

use axum::{Json, extract::State};

use super::View;
use crate::{
    Shared,
    caller::Tenant,
    page::{Asked, Page, Wanted},
    problem::Problem,
};

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Tenant(tenant): Tenant,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Page<View>>, Problem> {
    let limit = wanted.limit()?;
    let ports = shared.app.ports();
    let now = ports.clock.now();
    let found = ports
        .store
        .page_of_plans(tenant, wanted.after()?, limit + 1)
        .await?;
    let views = found.into_iter().map(|it| View::of(it, now)).collect();
    Ok(Json(Page::of(views, limit, |it: &View| it.id.to_string())))
}
