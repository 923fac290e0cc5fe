//! `POST /v1/storages/{id}/disconnect`: gives the account's grant back to Google and forgets the credential.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use tintype_model::StorageId;

use crate::{Shared, caller::Tenant, id::Id, problem::Problem};

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Tenant(tenant): Tenant,
    Id(id): Id<StorageId>,
) -> Result<StatusCode, Problem> {
    shared.app.disconnect(tenant, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
