//! `PUT /v1/storages/{id}/credential`: replaces the credential; runs that waited for it go on.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use secrecy::SecretString;
use serde::Deserialize;
use tintype_model::StorageId;
use tintype_ports::vault::OAuthClient;

use super::Credential;
use crate::{Shared, body::Body, caller::Tenant, id::Id, problem::Problem};

/// The fields of [`Credential`], and whose it may be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    client_id: String,
    client_secret: SecretString,
    refresh_token: Option<SecretString>,
    token: Option<SecretString>,
    /// Another Google account may take the place of the one before.
    #[serde(default)]
    other_account: bool,
}

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Tenant(tenant): Tenant,
    Id(id): Id<StorageId>,
    Body(input): Body<Input>,
) -> Result<StatusCode, Problem> {
    // A storage that is not there is told before anything about the credential.
    let found = shared.app.ports().store.storage(tenant, id).await?;
    found.ok_or_else(|| Problem::not_found("the storage"))?;
    let credential = Credential {
        client_id: input.client_id,
        client_secret: input.client_secret,
        refresh_token: input.refresh_token,
        token: input.token,
    };
    let opened = credential.open("")?;
    let client = OAuthClient {
        id: opened.client.as_str().to_owned(),
        secret: opened.client_secret,
    };
    let app = &shared.app;
    app.reauthorise(
        tenant,
        id,
        client,
        opened.refresh_token,
        input.other_account,
    )
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
