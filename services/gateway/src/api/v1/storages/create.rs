//! `POST /v1/storages`: connects a Google Photos account, a bucket or a folder.

use std::{path::PathBuf, sync::Arc};

use axum::{Json, extract::State, http::StatusCode};
use secrecy::SecretString;
use serde::Deserialize;
use tintype_app::setup::{NewDestination, NewGoogleStorage};
use tintype_model::storage::{
    GooglePhotosSettings, ProxyUrl, S3Settings, StoragePolicy, StorageSettings,
};
use tintype_ports::vault::BucketKeys;

use super::{
    Credential, View,
    options::{Batch, Options, named},
};
use crate::{Shared, body::Body, caller::Tenant, places, problem::Problem};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    GooglePhotos,
    S3,
    LocalFolder,
}

/// The fields of all kinds, so that whatever is wrong with one can be pointed at.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    kind: Kind,
    name: String,
    // Of an account.
    credential: Option<Credential>,
    read_only: Option<bool>,
    start_year: Option<i32>,
    include_archived: Option<bool>,
    read_size: Option<bool>,
    batch: Option<Batch>,
    #[serde(default, deserialize_with = "named")]
    proxy: Option<Option<ProxyUrl>>,
    // Of a bucket.
    bucket: Option<String>,
    prefix: Option<String>,
    endpoint: Option<String>,
    region: Option<String>,
    access_key_id: Option<String>,
    secret_access_key: Option<SecretString>,
    // Of a folder.
    path: Option<PathBuf>,
}

impl Input {
    /// Refuses what does not belong to the kind.
    fn fits(&self) -> Result<(), Problem> {
        let options = self.options();
        let fields = [
            (Kind::GooglePhotos, "credential", self.credential.is_some()),
            (
                Kind::GooglePhotos,
                options.named().unwrap_or_default(),
                options.named().is_some(),
            ),
            (Kind::S3, "bucket", self.bucket.is_some()),
            (Kind::S3, "prefix", self.prefix.is_some()),
            (Kind::S3, "endpoint", self.endpoint.is_some()),
            (Kind::S3, "region", self.region.is_some()),
            (Kind::S3, "access_key_id", self.access_key_id.is_some()),
            (
                Kind::S3,
                "secret_access_key",
                self.secret_access_key.is_some(),
            ),
            (Kind::LocalFolder, "path", self.path.is_some()),
        ];
        let mut strange = fields
            .into_iter()
            .filter(|(kind, _, is_given)| *is_given && *kind != self.kind);
        match strange.next() {
            Some((_, field, _)) => Err(Problem::field(
                field,
                "does not belong to this kind of storage; leave it out",
            )),
            None => Ok(()),
        }
    }

    fn options(&self) -> Options {
        Options {
            read_only: self.read_only,
            start_year: self.start_year,
            include_archived: self.include_archived,
            read_size: self.read_size,
            batch: self.batch,
            proxy: self.proxy.clone(),
        }
    }

    fn account(self, policy: StoragePolicy) -> Result<NewGoogleStorage, Problem> {
        let options = self.options();
        let opened = needed("credential", self.credential)?.open("credential.")?;
        let project = opened.client.project().clone();
        Ok(NewGoogleStorage {
            name: self.name,
            client_id: opened.client.as_str().to_owned(),
            client_secret: opened.client_secret,
            refresh_token: opened.refresh_token,
            settings: options.over(GooglePhotosSettings::new(project), policy)?,
        })
    }

    fn bucket(self, policy: StoragePolicy) -> Result<NewDestination, Problem> {
        let endpoint = needed("endpoint", self.endpoint)?;
        places::endpoint("endpoint", &endpoint, policy)?;
        let bucket = needed("bucket", self.bucket)?;
        let region = needed("region", self.region)?;
        for (field, text) in [("bucket", &bucket), ("region", &region)] {
            if text.trim().is_empty() {
                return Err(Problem::field(field, "must not be empty"));
            }
        }
        let keys = BucketKeys {
            access_key_id: needed("access_key_id", self.access_key_id)?,
            secret_access_key: needed("secret_access_key", self.secret_access_key)?,
        };
        Ok(NewDestination {
            name: self.name,
            settings: StorageSettings::S3(S3Settings {
                bucket,
                prefix: self.prefix.unwrap_or_default(),
                endpoint,
                region,
            }),
            keys: Some(keys),
        })
    }

    fn folder(self, policy: StoragePolicy) -> Result<NewDestination, Problem> {
        if !policy.local_folders {
            let what = "the operator does not allow archives in folders; use a bucket";
            return Err(Problem::field("kind", what));
        }
        Ok(NewDestination {
            name: self.name,
            settings: StorageSettings::LocalFolder {
                path: needed("path", self.path)?,
            },
            keys: None,
        })
    }
}

fn needed<T>(field: &str, value: Option<T>) -> Result<T, Problem> {
    value.ok_or_else(|| Problem::field(field, "is missing"))
}

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Tenant(tenant): Tenant,
    Body(input): Body<Input>,
) -> Result<(StatusCode, Json<View>), Problem> {
    input.fits()?;
    let app = &shared.app;
    let storage = match input.kind {
        Kind::GooglePhotos => {
            let account = input.account(shared.policy)?;
            app.connect_google(tenant, account).await?
        }
        Kind::S3 => {
            let bucket = input.bucket(shared.policy)?;
            app.connect_destination(tenant, bucket).await?
        }
        Kind::LocalFolder => {
            let folder = input.folder(shared.policy)?;
            app.connect_destination(tenant, folder).await?
        }
    };
    Ok((StatusCode::CREATED, Json(storage.into())))
}
