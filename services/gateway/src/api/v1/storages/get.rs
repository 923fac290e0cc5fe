//! `GET /v1/storages/{id}`: one storage.

use std::sync::Arc;

use axum::{Json, extract::State};
use tintype_model::StorageId;

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
    Id(id): Id<StorageId>,
) -> Result<(Tag, Json<View>), Problem> {
    let found = shared.app.ports().store.storage(tenant, id).await?;
    let found = found.ok_or_else(|| Problem::not_found("the storage"))?;
    Ok((etag::of(&found), Json(found.into())))
}
