//! `PUT /v1/storages/{id}/credential`: replaces the credential; runs that waited for it go on.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use tintype_model::StorageId;

use super::Credential;
use crate::{Shared, body::Body, caller::Tenant, id::Id, problem::Problem};

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Tenant(tenant): Tenant,
    Id(id): Id<StorageId>,
    Body(credential): Body<Credential>,
) -> Result<StatusCode, Problem> {
    // A storage that is not there is told before anything about the credential.
    let found = shared.app.ports().store.storage(tenant, id).await?;
    found.ok_or_else(|| Problem::not_found("the storage"))?;
    let opened = credential.open("")?;
    let client = opened.client.as_str().to_owned();
    shared
        .app
        .reauthorise(
            tenant,
            id,
            client,
            opened.client_secret,
            opened.refresh_token,
        )
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
