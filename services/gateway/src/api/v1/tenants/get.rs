//! `GET /v1/tenants/{id}`: one tenant.

use std::sync::Arc;

use axum::{Json, extract::State};
use tintype_model::TenantId;

use super::View;
use crate::{
    Shared,
    etag::{self, Tag},
    id::Id,
    problem::Problem,
};

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Id(id): Id<TenantId>,
) -> Result<(Tag, Json<View>), Problem> {
    let tenant = shared.app.tenant(id).await?;
    Ok((etag::of(&tenant), Json(tenant.into())))
}
