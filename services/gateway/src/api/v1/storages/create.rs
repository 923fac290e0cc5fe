//! `POST /v1/storages`: connects a Google Photos account, a bucket or a folder.

use std::{path::PathBuf, sync::Arc};

use axum::{Json, extract::State, http::StatusCode};
use secrecy::SecretString;
use serde::Deserialize;
use tintype_app::setup::{NewDestination, NewGoogleStorage};
use tintype_model::storage::{GooglePhotosSettings, S3Settings, StorageSettings};
use tintype_ports::vault::BucketKeys;

use super::{Credential, View};
use crate::{Shared, body::Body, caller::Tenant, places, problem::Problem};

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Input {
    GooglePhotos {
        name: String,
        credential: Credential,
        start_year: Option<i32>,
        include_archived: Option<bool>,
        read_size: Option<bool>,
    },
    S3 {
        name: String,
        bucket: String,
        #[serde(default)]
        prefix: String,
        endpoint: String,
        region: String,
        access_key_id: String,
        secret_access_key: SecretString,
    },
    LocalFolder {
        name: String,
        path: PathBuf,
    },
}

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Tenant(tenant): Tenant,
    Body(input): Body<Input>,
) -> Result<(StatusCode, Json<View>), Problem> {
    let storage = match input {
        Input::GooglePhotos {
            name,
            credential,
            start_year,
            include_archived,
            read_size,
        } => {
            let opened = credential.open("credential.")?;
            let mut settings = GooglePhotosSettings::new(opened.client.project().clone());
            settings.start_year = start_year.unwrap_or(settings.start_year);
            settings.include_archived = include_archived.unwrap_or(settings.include_archived);
            settings.read_size = read_size.unwrap_or(settings.read_size);
            let new = NewGoogleStorage {
                name,
                client_id: opened.client.as_str().to_owned(),
                client_secret: opened.client_secret,
                refresh_token: opened.refresh_token,
                settings,
            };
            shared.app.connect_google(tenant, new).await?
        }
        Input::S3 {
            name,
            bucket,
            prefix,
            endpoint,
            region,
            access_key_id,
            secret_access_key,
        } => {
            places::endpoint("endpoint", &endpoint, shared.policy)?;
            for (field, text) in [("bucket", &bucket), ("region", &region)] {
                if text.trim().is_empty() {
                    return Err(Problem::field(field, "must not be empty"));
                }
            }
            let new = NewDestination {
                name,
                settings: StorageSettings::S3(S3Settings {
                    bucket,
                    prefix,
                    endpoint,
                    region,
                }),
                keys: Some(BucketKeys {
                    access_key_id,
                    secret_access_key,
                }),
            };
            shared.app.connect_destination(tenant, new).await?
        }
        Input::LocalFolder { name, path } => {
            if !shared.policy.local_folders {
                let what = "the operator does not allow archives in folders; use a bucket";
                return Err(Problem::field("kind", what));
            }
            let new = NewDestination {
                name,
                settings: StorageSettings::LocalFolder { path },
                keys: None,
            };
            shared.app.connect_destination(tenant, new).await?
        }
    };
    Ok((StatusCode::CREATED, Json(storage.into())))
}
