//! `GET /v1/storages`: the tenant's storages, oldest first.

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
    let found = shared
        .app
        .ports()
        .store
        .page_of_storages(tenant, wanted.after()?, limit + 1)
        .await?;
    let views = found.into_iter().map(View::from).collect();
    Ok(Json(Page::of(views, limit, |it: &View| it.id.to_string())))
}
