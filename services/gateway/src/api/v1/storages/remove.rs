//! `DELETE /v1/storages/{id}`: removes a storage that no plan uses; an account's grant is given back to Google first.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use tintype_model::StorageId;

use crate::{Shared, caller::Tenant, id::Id, problem::Problem};

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Tenant(tenant): Tenant,
    Id(id): Id<StorageId>,
) -> Result<StatusCode, Problem> {
    shared.app.remove_storage(tenant, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
