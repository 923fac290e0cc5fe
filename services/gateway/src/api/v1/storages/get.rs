//! `GET /v1/storages/{id}`: one storage, and what may be known of its credential.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Serialize;
use tintype_app::AppError;
use tintype_model::StorageId;

use super::{Known, View, health};
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
    /// Of an account.
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<health::Health>,
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
    let known = known.map_err(AppError::from)?;
    let health = health::of(&found, known.as_ref(), ports.clock.now());
    let credential = known.map(Known::from);
    let tag = etag::of(&found);
    let storage = found.into();
    Ok((
        tag,
        Json(Whole {
            storage,
            credential,
            health,
        }),
    ))
}
