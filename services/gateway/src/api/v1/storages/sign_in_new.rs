//! `POST /v1/storages/sign-in`: adds an account, and says where the person signs in for it.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tintype_model::{
    credential::ClientId,
    storage::{GooglePhotosSettings, ProxyUrl},
};

use super::{
    View,
    options::{Batch, Options, named},
    refused,
    sign_in::{Page, client, redirect},
};
use crate::{Shared, body::Body, caller::Tenant, problem::Problem};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    name: String,
    /// The tenant's own OAuth client; left out: the operator's.
    client_id: Option<String>,
    client_secret: Option<SecretString>,
    read_only: Option<bool>,
    start_year: Option<i32>,
    include_archived: Option<bool>,
    read_size: Option<bool>,
    batch: Option<Batch>,
    #[serde(default, deserialize_with = "named")]
    proxy: Option<Option<ProxyUrl>>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Begun {
    storage: View,
    #[serde(flatten)]
    page: Page,
}

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Tenant(tenant): Tenant,
    Body(input): Body<Input>,
) -> Result<(StatusCode, Json<Begun>), Problem> {
    let redirect = redirect(&shared.sign_in)?;
    let given = client(input.client_id.as_deref(), input.client_secret)?;
    let own = || shared.sign_in.client.clone();
    let client = given.or_else(own).ok_or_else(|| {
        let what = "is missing; the operator has no client of their own";
        Problem::field("client_id", what)
    })?;
    let id = ClientId::parse(&client.id).map_err(|error| refused("client_id", &error))?;
    let options = Options {
        read_only: input.read_only,
        start_year: input.start_year,
        include_archived: input.include_archived,
        read_size: input.read_size,
        batch: input.batch,
        proxy: input.proxy,
    };
    let settings = GooglePhotosSettings::new(id.project().clone());
    let settings = options.over(settings, shared.policy)?;
    let (storage, page) = shared
        .app
        .connect_by_sign_in(tenant, &input.name, client, settings, redirect)
        .await?;
    let begun = Begun {
        storage: storage.into(),
        page: page.into(),
    };
    Ok((StatusCode::CREATED, Json(begun)))
}
