//! `GET /v1/storages`: the tenant's storages, oldest first, each account with the health of its credential.

use std::sync::Arc;

use axum::{Json, extract::State};

use super::health::{Listed, listed};
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
) -> Result<Json<Page<Listed>>, Problem> {
    let limit = wanted.limit()?;
    let found = shared
        .app
        .ports()
        .store
        .page_of_storages(tenant, wanted.after()?, limit + 1)
        .await?;
    let views = listed(&shared, found).await;
    Ok(Json(Page::of(views, limit, |it: &Listed| {
        it.storage.id.to_string()
    })))
}
