//! Destinations under the operator's policy: folders and private addresses are for those who own the machine.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use chrono::DateTime;
use tintype_blob::{ArchiveSettings, MemoryRoot, Root, S3Root, Spool};
use tintype_model::{
    ArchiveId,
    plan::PlanOptions,
    storage::{S3Settings, StoragePolicy, StorageSettings},
};
use tintype_ports::{
    Archive, ArchiveError, Files,
    archive::{ArchiveSpec, Archives},
    vault::BucketKeys,
};
use tintype_runtime::{HttpError, HttpSettings};

use crate::failure::Failure;

/// Bytes that may wait on this machine for an object store.
const SPOOL_BYTES: u64 = 512 << 20;

/// Gives a bucket the connections of this process.
type Connect = Arc<dyn Fn(S3Settings, BucketKeys) -> S3Root + Send + Sync>;

/// Opens archives in folders and buckets.
pub(super) struct Destinations {
    connect: Connect,
    spool: Spool,
    local_folders: bool,
}

impl Destinations {
    /// Objects on their way to a bucket wait in `spool`.
    pub(super) fn new(
        http: &HttpSettings,
        spool: &Path,
        policy: StoragePolicy,
    ) -> Result<Self, HttpError> {
        Ok(Self {
            connect: connector(http, policy.private_addresses)?,
            spool: Spool {
                folder: spool.to_owned(),
                bytes: SPOOL_BYTES,
            },
            local_folders: policy.local_folders,
        })
    }
}

#[async_trait]
impl Archives for Destinations {
    async fn open(&self, spec: ArchiveSpec) -> Result<Arc<dyn Archive>, ArchiveError> {
        let settings = ArchiveSettings {
            root: root(spec.place, spec.keys, &self.connect)?,
            archive: spec.archive,
            layout: spec.options.layout,
            recipients: spec.options.recipients,
            signing_key: spec.signing_key,
            local_folders: self.local_folders,
            spool: self.spool.clone(),
            identity: None,
        };
        tintype_blob::open_archive(settings)
    }

    async fn files(
        &self,
        place: StorageSettings,
        keys: Option<BucketKeys>,
    ) -> Result<Arc<dyn Files>, ArchiveError> {
        let root = root(place, keys, &self.connect)?;
        tintype_blob::open_files(root, self.local_folders)
    }
}

/// All buckets share one client and its connections.
pub(super) fn connector(
    http: &HttpSettings,
    private_addresses: bool,
) -> Result<Connect, HttpError> {
    let client = http.guarded(private_addresses)?;
    Ok(Arc::new(move |settings, keys| S3Root {
        settings,
        access_key_id: keys.access_key_id,
        secret_access_key: keys.secret_access_key,
        client: client.clone(),
    }))
}

/// The place that settings and keys describe.
pub(super) fn root(
    place: StorageSettings,
    keys: Option<BucketKeys>,
    connect: &Connect,
) -> Result<Root, ArchiveError> {
    match (place, keys) {
        (StorageSettings::LocalFolder { path }, _) => Ok(Root::LocalFolder { path }),
        (StorageSettings::S3(settings), Some(keys)) => Ok(Root::S3(connect(settings, keys))),
        (StorageSettings::S3(_), None) => {
            Err(ArchiveError::Settings("keys: a bucket needs keys".into()))
        }
        (StorageSettings::GooglePhotos(_), _) => Err(ArchiveError::Settings(
            "google photos is no place for an archive or for files".into(),
        )),
    }
}

/// Reads where a destination or an archive lies.
pub(super) fn locate(text: &str, keys: Option<BucketKeys>) -> Result<StorageSettings, Failure> {
    let here = std::env::current_dir()?;
    let keys = keys.map(|it| tintype_blob::BucketKeys {
        access_key_id: it.access_key_id,
        secret_access_key: it.secret_access_key,
    });
    let client = HttpSettings::from_env()?.guarded(true)?;
    match tintype_blob::parse_location(text, &here, keys, client)? {
        Root::LocalFolder { path } => Ok(StorageSettings::LocalFolder { path }),
        Root::S3(s3) => Ok(StorageSettings::S3(s3.settings)),
        Root::Memory(_) => Err(Failure::usage("destination: memory is no lasting place")),
    }
}

/// Checks layout and recipients on an archive in memory, which nothing is written to.
pub(super) fn check(options: &PlanOptions) -> Result<(), Failure> {
    let settings = ArchiveSettings {
        root: Root::Memory(MemoryRoot::new()?),
        archive: ArchiveId::new(DateTime::UNIX_EPOCH, [0; 10]),
        layout: options.layout,
        recipients: options.recipients.clone(),
        signing_key: [0; 32],
        local_folders: true,
        spool: Spool {
            folder: PathBuf::new(),
            bytes: 0,
        },
        identity: None,
    };
    tintype_blob::open_archive(settings)?;
    Ok(())
}
