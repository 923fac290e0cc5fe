//! `GET /v1/tenants`: tenants, oldest first.

use std::sync::Arc;

use axum::{Json, extract::State};

use super::View;
use crate::{
    Shared,
    page::{Asked, Page, Wanted},
    problem::Problem,
};

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Page<View>>, Problem> {
    let limit = wanted.limit()?;
    let store = &shared.app.ports().store;
    let found = store.tenants(wanted.after()?, limit + 1).await?;
    let views = found.into_iter().map(View::from).collect();
    Ok(Json(Page::of(views, limit, |it: &View| it.id.to_string())))
}
