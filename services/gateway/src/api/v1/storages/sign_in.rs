//! `POST /v1/storages/{id}/sign-in`: where the person signs in at Google for an account that is connected.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tintype_app::AppError;
use tintype_model::{StorageId, credential::ClientId};
use tintype_ports::{
    VaultError,
    vault::{OAuthClient, SignInPage},
};

use super::{is_blank, refused};
use crate::{Shared, SignInSettings, body::Body, caller::Tenant, id::Id, problem::Problem};

/// Where Google sends people back to, below the public URL.
const CALLBACK: &str = "oauth/callback";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    client_id: Option<String>,
    client_secret: Option<SecretString>,
    /// Whether another Google account than before may take its place.
    #[serde(default)]
    other_account: bool,
}

/// Where the person goes. The URL is for this person only: whoever opens it connects their account.
#[derive(Debug, Serialize)]
pub(crate) struct Page {
    url: String,
    expires_at: DateTime<Utc>,
}

impl From<SignInPage> for Page {
    fn from(it: SignInPage) -> Self {
        Self {
            url: it.url,
            expires_at: it.expires_at,
        }
    }
}

/// Where Google sends people back to.
pub(super) fn redirect(settings: &SignInSettings) -> Result<String, Problem> {
    let Some(base) = &settings.public_url else {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "sign_in_unavailable",
            "Nobody can sign in here",
            "the operator has not set gateway.public_url; paste a token instead",
        ));
    };
    let mut url = base.clone();
    let folder = base.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("{folder}/{CALLBACK}"));
    Ok(url.into())
}

/// The OAuth client of a body, where it names one.
pub(super) fn client(
    id: Option<&str>,
    secret: Option<SecretString>,
) -> Result<Option<OAuthClient>, Problem> {
    match (id, secret) {
        (None, None) => Ok(None),
        (Some(id), Some(secret)) => {
            let id = ClientId::parse(id).map_err(|error| refused("client_id", &error))?;
            if is_blank(&secret) {
                return Err(Problem::field("client_secret", "must not be empty"));
            }
            Ok(Some(OAuthClient {
                id: id.as_str().to_owned(),
                secret: SecretString::from(secret.expose_secret().trim()),
            }))
        }
        (Some(_), None) => Err(Problem::field("client_secret", "is missing")),
        (None, Some(_)) => Err(Problem::field("client_id", "is missing")),
    }
}

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Tenant(tenant): Tenant,
    Id(id): Id<StorageId>,
    Body(input): Body<Input>,
) -> Result<Json<Page>, Problem> {
    let app = &shared.app;
    let found = app.ports().store.storage(tenant, id).await?;
    found.ok_or_else(|| Problem::not_found("the storage"))?;
    let given = client(input.client_id.as_deref(), input.client_secret)?;
    let redirect = redirect(&shared.sign_in)?;
    let other_account = input.other_account;
    let begin = async |client| {
        let redirect = redirect.clone();
        app.sign_in_again(tenant, id, client, redirect, other_account)
            .await
    };
    let is_given = given.is_some();
    let begun = match begin(given).await {
        // The account was disconnected and has no client to go on with.
        Err(AppError::Vault(VaultError::NotFound)) if !is_given => {
            let missing = || Problem::field("client_id", "is missing; the account has no client");
            begin(Some(shared.sign_in.client.clone().ok_or_else(missing)?)).await
        }
        begun => begun,
    };
    Ok(Json(begun?.into()))
}
