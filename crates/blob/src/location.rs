//! The text forms of a place: a path, `file:///…`, `s3://bucket/prefix?endpoint=https://…&region=…`.

use std::path::PathBuf;

use secrecy::SecretString;
use tintype_model::storage::S3Settings;
use tintype_ports::ArchiveError;
use tintype_runtime::http::GuardedClient;
use url::Url;

use crate::settings::{Root, S3Root, check_root};

/// Keys of a bucket, given explicitly; nothing else is ever asked for keys.
#[derive(Debug, Clone)]
pub struct BucketKeys {
    /// Access key id.
    pub access_key_id: String,
    /// The secret that goes with it.
    pub secret_access_key: SecretString,
}

/// Reads where an archive lies from text. A relative path counts from `current_folder`. `client` sends the requests of `s3://`.
///
/// # Errors
/// When the text is none of the forms, lacks a part, or `s3://` comes without keys. The text says which.
pub fn parse_location(
    text: &str,
    current_folder: &std::path::Path,
    keys: Option<BucketKeys>,
    client: GuardedClient,
) -> Result<Root, ArchiveError> {
    let root = if text.starts_with("s3://") {
        Root::S3(parse_s3(text, keys, client)?)
    } else if text.starts_with("file:") {
        Root::LocalFolder {
            path: parse_file(text)?,
        }
    } else if let Some((scheme, _)) = text.split_once("://") {
        return Err(settings(format!(
            "{scheme}: is not a known kind of place; use a path, file:///… or s3://…"
        )));
    } else if text.is_empty() {
        return Err(settings(
            "the place must not be empty; use a path, file:///… or s3://…".to_owned(),
        ));
    } else {
        Root::LocalFolder {
            path: current_folder.join(text),
        }
    };
    check_root(&root, true)?;
    Ok(root)
}

fn parse_file(text: &str) -> Result<PathBuf, ArchiveError> {
    let path = Url::parse(text)
        .ok()
        .and_then(|url| url.to_file_path().ok());
    path.ok_or_else(|| settings("a file URL looks like file:///srv/photos".to_owned()))
}

fn parse_s3(
    text: &str,
    keys: Option<BucketKeys>,
    client: GuardedClient,
) -> Result<S3Root, ArchiveError> {
    let form = "an S3 place looks like s3://bucket/prefix?endpoint=https://s3.example.com&region=eu-west-1";
    let url = Url::parse(text).map_err(|_| settings(form.to_owned()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(settings(
            "keys do not belong into the URL; give them as options".to_owned(),
        ));
    }
    let bucket = url.host_str().unwrap_or_default().to_owned();
    let (mut endpoint, mut region) = (None, None);
    for (name, value) in url.query_pairs() {
        match name.as_ref() {
            "endpoint" => endpoint = Some(value.into_owned()),
            "region" => region = Some(value.into_owned()),
            other => {
                return Err(settings(format!(
                    "{other}: is not a part of an S3 place; {form}"
                )));
            }
        }
    }
    let missing = |name: &str| settings(format!("{name}: is missing; {form}"));
    let keys = keys.ok_or_else(|| {
        settings("an S3 place needs an access key id and a secret access key".to_owned())
    })?;
    Ok(S3Root {
        settings: S3Settings {
            bucket,
            prefix: percent_decoded(url.path())?,
            endpoint: endpoint.ok_or_else(|| missing("endpoint"))?,
            region: region.ok_or_else(|| missing("region"))?,
        },
        access_key_id: keys.access_key_id,
        secret_access_key: keys.secret_access_key,
        client,
    })
}

/// The prefix as the store knows it; a query string decodes `%20` the same way.
fn percent_decoded(path: &str) -> Result<String, ArchiveError> {
    let as_query = path
        .trim_matches('/')
        .replace('+', "%2B")
        .replace('&', "%26")
        .replace('=', "%3D");
    let decoded = url::form_urlencoded::parse(as_query.as_bytes()).next();
    let text = decoded
        .map(|(name, _)| name.into_owned())
        .unwrap_or_default();
    if text.contains('\u{FFFD}') {
        return Err(settings("prefix: is not UTF-8".to_owned()));
    }
    Ok(text)
}

fn settings(text: String) -> ArchiveError {
    ArchiveError::Settings(text)
}
