//! `GET /v1/storages/{id}`: one storage, and what may be known of its credential.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Serialize;
use tintype_app::AppError;
use tintype_model::StorageId;

use super::{Known, View};
use crate::{
    Shared,
    caller::Tenant,
    etag::{self, Tag},
    id::Id,
    problem::Problem,
};

#[derive(Debug, Serialize)]
pub(crate) struct Whole {
    #[serde(flatten)]
    storage: View,
    /// `null`: there is none.
    credential: Option<Known>,
}

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Tenant(tenant): Tenant,
    Id(id): Id<StorageId>,
) -> Result<(Tag, Json<Whole>), Problem> {
    let ports = shared.app.ports();
    let found = ports.store.storage(tenant, id).await?;
    let found = found.ok_or_else(|| Problem::not_found("the storage"))?;
    let known = ports.vault.describe(tenant, id).await;
    let credential = known.map_err(AppError::from)?.map(Known::from);
    let tag = etag::of(&found);
    let storage = found.into();
    Ok((
        tag,
        Json(Whole {
            storage,
            credential,
        }),
    ))
}
