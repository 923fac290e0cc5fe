//! `POST /v1/storages/test`: tests an account before it is connected. Nothing of it is kept.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use serde::Deserialize;
use tintype_model::storage::{GooglePhotosSettings, ProxyUrl};
use tintype_ports::vault::Secret;

use super::{
    Credential, checks,
    options::{Batch, Options, named},
};
use crate::{Shared, body::Body, caller::Tenant, problem::Problem};

/// Only accounts can be tested; a bucket or folder is written to when a plan is made.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    GooglePhotos,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    #[serde(rename = "kind")]
    _kind: Kind,
    /// Not looked at, so that a whole form can be sent.
    #[serde(rename = "name")]
    _name: Option<String>,
    credential: Credential,
    read_only: Option<bool>,
    start_year: Option<i32>,
    include_archived: Option<bool>,
    read_size: Option<bool>,
    batch: Option<Batch>,
    #[serde(default, deserialize_with = "named")]
    proxy: Option<Option<ProxyUrl>>,
}

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Tenant(tenant): Tenant,
    headers: HeaderMap,
    Body(input): Body<Input>,
) -> Result<Response, Problem> {
    let opened = input.credential.open("credential.")?;
    let options = Options {
        read_only: input.read_only,
        start_year: input.start_year,
        include_archived: input.include_archived,
        read_size: input.read_size,
        batch: input.batch,
        proxy: input.proxy,
    };
    let settings = GooglePhotosSettings::new(opened.client.project().clone());
    let settings = options.over(settings, shared.policy)?;
    let secret = Secret::Google {
        client_id: opened.client.as_str().to_owned(),
        client_secret: opened.client_secret,
        refresh_token: opened.refresh_token,
    };
    let app = shared.app.clone();
    checks::answer(&shared, tenant, &headers, |lines| async move {
        app.test_account(tenant, secret, &settings, |check| lines.tell(check))
            .await
    })
    .await
}
