//! Destinations as a person types them: a folder, or `s3://bucket/prefix?endpoint=…&region=…` with keys beside it.

use std::{fmt, path::PathBuf};

use secrecy::SecretString;
use tintype_model::storage::{S3Settings, StorageSettings};
use tintype_ports::vault::BucketKeys;

use crate::{failure::Failure, wire};

/// Environment variables with the keys of a bucket.
const KEY_ID: &str = "TINTYPE_S3_ACCESS_KEY_ID";
pub(crate) const SECRET_KEY: &str = "TINTYPE_S3_SECRET_ACCESS_KEY";

/// A place with what it takes to reach it.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// Where it is.
    pub(crate) settings: StorageSettings,
    /// Keys, for a bucket.
    pub(crate) keys: Option<BucketKeys>,
}

impl Place {
    /// Reads a destination; a relative folder counts from the working directory, keys come from the environment.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        Self::read(text, |name| std::env::var(name).ok())
    }

    /// A folder on this machine.
    pub(crate) fn folder(path: PathBuf) -> Self {
        Self {
            settings: StorageSettings::LocalFolder { path },
            keys: None,
        }
    }

    fn read(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        let keys = match text.starts_with("s3://") {
            true => Some(keys(variable)?),
            false => None,
        };
        let mut settings = wire::locate(text, keys.clone())?;
        if let StorageSettings::LocalFolder { path } = &mut settings {
            // `folder/.` and `folder//` are `folder`, so that it is found again however it is written.
            *path = path.components().collect();
        }
        Ok(Self { settings, keys })
    }
}

fn keys(variable: impl Fn(&str) -> Option<String>) -> Result<BucketKeys, Failure> {
    let required = |name: &str| {
        variable(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| {
                Failure::usage(format!("a bucket needs keys, but {name} is not set"))
                    .with_action(format!("set {KEY_ID} and {SECRET_KEY} in the environment"))
            })
    };
    Ok(BucketKeys {
        access_key_id: required(KEY_ID)?,
        secret_access_key: SecretString::from(required(SECRET_KEY)?),
    })
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.settings {
            StorageSettings::LocalFolder { path } => path.display().fmt(f),
            StorageSettings::S3(S3Settings {
                bucket,
                prefix,
                endpoint,
                region,
            }) => write!(
                f,
                "s3://{bucket}/{prefix}?endpoint={endpoint}&region={region}"
            ),
            StorageSettings::GooglePhotos(_) => f.write_str("Google Photos"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<StorageSettings, String> {
        Place::read(text, |name| Some(format!("value of {name}")))
            .map(|place| place.settings)
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_folder_is_the_same_however_it_is_written() {
        let path = PathBuf::from("/photos/backup");
        let folder = StorageSettings::LocalFolder { path };
        for text in [
            "/photos/backup",
            "/photos//backup/.",
            "/photos/backup/",
            "file:///photos/backup",
        ] {
            assert_eq!(read(text), Ok(folder.clone()), "{text}");
        }
    }

    #[test]
    fn a_bucket_has_endpoint_region_and_prefix() {
        let settings = S3Settings {
            bucket: "photos".into(),
            prefix: "mine/2024".into(),
            endpoint: "http://127.0.0.1:9000".into(),
            region: "eu-central-1".into(),
        };
        let text = "s3://photos/mine/2024/?endpoint=http://127.0.0.1:9000&region=eu-central-1";
        assert_eq!(read(text), Ok(StorageSettings::S3(settings)));
    }

    #[test]
    fn a_wrong_destination_is_refused() {
        for text in [
            "",
            "ftp://x/y",
            "s3://key:secret@bucket/?endpoint=https://s3.example.com&region=x",
            "s3://bucket/?acl=public",
            "s3://bucket/?endpoint=minio:9000&region=x",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_bucket_without_keys_names_the_variable() {
        let error = Place::read("s3://bucket/", |_| None).unwrap_err();
        assert!(error.to_string().contains(KEY_ID));
    }
}
