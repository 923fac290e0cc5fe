//! What an archive is opened with, checked before anything is touched.

use std::{fmt, path::PathBuf};

use opendal::{Operator, services};
use secrecy::{ExposeSecret as _, SecretString};
use tintype_model::{ArchiveId, plan::Layout, storage::S3Settings};
use tintype_ports::ArchiveError;
use tintype_runtime::http::GuardedClient;

use crate::{errors, sealing::Recipients};

/// A bucket, or a prefix in one, with the keys to it.
#[derive(Clone)]
pub struct S3Root {
    /// Where it is.
    pub settings: S3Settings,
    /// Access key id. Never taken from the environment, a profile or an instance's metadata service.
    pub access_key_id: String,
    /// The secret that goes with it.
    pub secret_access_key: SecretString,
    /// Follows no redirects, has its own deadlines, and reaches what the operator allows.
    pub client: GuardedClient,
}

impl fmt::Debug for S3Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Root")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// Objects in this process's memory, for tests. Clones share them.
#[derive(Debug, Clone)]
pub struct MemoryRoot(pub(crate) Operator);

impl MemoryRoot {
    /// An empty place.
    ///
    /// # Errors
    /// Never in practice; the storage layer says so itself.
    pub fn new() -> Result<Self, ArchiveError> {
        let operator = Operator::new(services::Memory::default());
        operator
            .map(Self)
            .map_err(|error| errors::of_storage("memory", &error))
    }

    /// Puts an object there, in place of what is there.
    ///
    /// # Errors
    /// Never in practice; the storage layer says so itself.
    pub async fn put(&self, path: &str, bytes: Vec<u8>) -> Result<(), ArchiveError> {
        let written = self.0.write(path, bytes).await;
        written
            .map(|_| ())
            .map_err(|error| errors::of_storage(path, &error))
    }

    /// Takes an object away.
    ///
    /// # Errors
    /// Never in practice; the storage layer says so itself.
    pub async fn remove(&self, path: &str) -> Result<(), ArchiveError> {
        let removed = self.0.delete(path).await;
        removed.map_err(|error| errors::of_storage(path, &error))
    }
}

/// The place that an archive lies in.
#[derive(Debug, Clone)]
pub enum Root {
    /// A folder on this machine.
    LocalFolder {
        /// Absolute path of a folder that exists.
        path: PathBuf,
    },
    /// Object storage with the S3 API.
    S3(S3Root),
    /// Memory.
    Memory(MemoryRoot),
}

/// Where bytes wait before they are sent to an object store.
#[derive(Debug, Clone)]
pub struct Spool {
    /// A folder of this machine, made when it is missing.
    pub folder: PathBuf,
    /// Bytes that may wait there; one file beyond the bound may be on its way, so that a large one always fits.
    pub bytes: u64,
}

/// What a plan's archive is opened with.
#[derive(Debug, Clone)]
pub struct ArchiveSettings {
    /// The place.
    pub root: Root,
    /// The archive that must be there, or is made.
    pub archive: ArchiveId,
    /// How bytes lie there.
    pub layout: Layout,
    /// age recipients, `age1…`. Empty: not encrypted.
    pub recipients: Vec<String>,
    /// The public half of the Ed25519 key that signs manifests.
    pub signing_key: [u8; 32],
    /// The operator's policy: whether archives may lie in folders of this machine.
    pub local_folders: bool,
    /// Where large objects wait for an object store. Not used by local folders.
    pub spool: Spool,
    /// age identities (`AGE-SECRET-KEY-1…`, one a line) to read an encrypted archive; writing needs none.
    pub identity: Option<SecretString>,
}

impl ArchiveSettings {
    /// Checks what can be checked without touching the place.
    pub(crate) fn check(&self) -> Result<Recipients, ArchiveError> {
        check_root(&self.root, self.local_folders)?;
        let recipients = Recipients::parse(&self.recipients)?;
        if self.layout == Layout::Mirror && !recipients.is_empty() {
            let reason = "recipients: the mirror layout holds plain files and cannot be encrypted; \
                          remove the recipients or choose the archive layout";
            return Err(ArchiveError::Settings(reason.to_owned()));
        }
        Ok(recipients)
    }
}

pub(crate) fn check_root(root: &Root, local_folders: bool) -> Result<(), ArchiveError> {
    let settings = |text: &str| Err(ArchiveError::Settings(text.to_owned()));
    match root {
        Root::LocalFolder { .. } if !local_folders => settings(
            "path: local folders are not allowed here; the operator's policy can allow them",
        ),
        Root::LocalFolder { path } if !path.is_absolute() => {
            settings("path: must be absolute, such as /srv/photos")
        }
        Root::LocalFolder { .. } | Root::Memory(_) => Ok(()),
        Root::S3(s3) => {
            let place = &s3.settings;
            let fields = [
                ("bucket", place.bucket.as_str()),
                ("endpoint", place.endpoint.as_str()),
                ("region", place.region.as_str()),
                ("access key id", s3.access_key_id.as_str()),
                ("secret access key", s3.secret_access_key.expose_secret()),
            ];
            if let Some((name, _)) = fields.iter().find(|(_, value)| value.trim().is_empty()) {
                return settings(&format!("{name}: must not be empty"));
            }
            check_endpoint(&place.endpoint)?;
            if place
                .prefix
                .split('/')
                .any(|part| part == ".." || part == ".")
            {
                return settings("prefix: must not hold . or .. as a part");
            }
            Ok(())
        }
    }
}

fn check_endpoint(endpoint: &str) -> Result<(), ArchiveError> {
    let fits = url::Url::parse(endpoint).is_ok_and(|url| {
        matches!(url.scheme(), "https" | "http")
            && url.host().is_some()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    });
    if fits {
        return Ok(());
    }
    let reason = "endpoint: must be a URL such as https://s3.example.com, without keys in it";
    Err(ArchiveError::Settings(reason.to_owned()))
}
