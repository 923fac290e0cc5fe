//! Whoever puts files into the places that are tested.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use opendal::{HttpTransporter, OperationContext, Operator, services};
use opendal_http_transport_reqwest::ReqwestTransport;
use secrecy::ExposeSecret as _;
use tintype_blob::{MemoryRoot, S3Root};
use tintype_ports::contract::files::Owner;

/// Of a folder on this machine.
pub(crate) struct FolderOwner {
    root: PathBuf,
    changes: AtomicU32,
}

impl FolderOwner {
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            changes: AtomicU32::new(0),
        }
    }
}

#[async_trait]
impl Owner for FolderOwner {
    async fn put(&self, path: &str, bytes: &[u8]) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        // A file system's clock may stand still for some milliseconds; here each change is a nanosecond later than the last.
        let since = Duration::new(1_700_000_000, self.changes.fetch_add(1, Ordering::SeqCst));
        let file = File::options().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + since).unwrap();
    }

    async fn remove(&self, path: &str) {
        fs::remove_file(self.root.join(path)).unwrap();
    }
}

/// Of memory.
pub(crate) struct MemoryOwner(pub(crate) MemoryRoot);

#[async_trait]
impl Owner for MemoryOwner {
    async fn put(&self, path: &str, bytes: &[u8]) {
        self.0.put(path, bytes.to_vec()).await.unwrap();
    }

    async fn remove(&self, path: &str) {
        self.0.remove(path).await.unwrap();
    }
}

/// Of a bucket. What it changes by the server is seen at once; the folder behind the server is looked at only now and then.
pub(crate) struct BucketOwner(Operator);

impl BucketOwner {
    pub(crate) fn new(root: &S3Root) -> Self {
        let place = &root.settings;
        let service = services::S3::default()
            .bucket(&place.bucket)
            .root(&place.prefix)
            .endpoint(&place.endpoint)
            .region(&place.region)
            .access_key_id(&root.access_key_id)
            .secret_access_key(root.secret_access_key.expose_secret())
            .disable_config_load()
            .disable_ec2_metadata();
        let transport = ReqwestTransport::new(root.client.client().clone());
        let context = OperationContext::new().with_http_transport(HttpTransporter::new(transport));
        Self(Operator::new(service).unwrap().with_context(context))
    }
}

#[async_trait]
impl Owner for BucketOwner {
    async fn put(&self, path: &str, bytes: &[u8]) {
        self.0.write(path, bytes.to_vec()).await.unwrap();
    }

    async fn remove(&self, path: &str) {
        self.0.delete(path).await.unwrap();
    }
}
