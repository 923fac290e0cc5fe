//! Archives to test.

use std::{path::Path, sync::Arc};

use age::secrecy::ExposeSecret as _;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use chrono::{DateTime, TimeDelta};
use secrecy::SecretString;
use tempfile::TempDir;
use tintype_blob::{ArchiveReader, ArchiveSettings, MemoryRoot, Root, S3Root, Spool, open_archive};
use tintype_model::{ArchiveId, plan::Layout, storage::S3Settings};
use tintype_ports::contract::archive::Subject;
use tintype_runtime::http::{GuardedClient, HttpSettings};
use tintype_testkit::s3::S3Server;

/// An archive to be opened, and the temporary folder that it uses.
pub(crate) struct Place {
    pub(crate) settings: ArchiveSettings,
    pub(crate) folder: TempDir,
    pub(crate) identity: Option<SecretString>,
}

fn key() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[5; 32]).unwrap()
}

pub(crate) fn archive_id(number: u8) -> ArchiveId {
    ArchiveId::new(DateTime::UNIX_EPOCH + TimeDelta::days(18_000), [number; 10])
}

impl Place {
    /// A plain archive in a folder.
    pub(crate) fn folder() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root");
        std::fs::create_dir(&path).unwrap();
        Self::at(Root::LocalFolder { path }, folder)
    }

    /// A plain archive in memory.
    pub(crate) fn memory() -> Self {
        Self::at(
            Root::Memory(MemoryRoot::new().unwrap()),
            tempfile::tempdir().unwrap(),
        )
    }

    /// A plain archive in a bucket, below a prefix.
    pub(crate) fn bucket(server: &S3Server, prefix: &str) -> Self {
        Self::at(
            Root::S3(s3_root(server, prefix)),
            tempfile::tempdir().unwrap(),
        )
    }

    fn at(root: Root, folder: TempDir) -> Self {
        let mut signing_key = [0; 32];
        signing_key.copy_from_slice(key().public_key().as_ref());
        let settings = ArchiveSettings {
            root,
            archive: archive_id(1),
            layout: Layout::Archive,
            recipients: vec![],
            signing_key,
            local_folders: true,
            spool: Spool {
                folder: folder.path().to_owned(),
                bytes: 8 * 1024 * 1024,
            },
            identity: None,
        };
        Self {
            settings,
            folder,
            identity: None,
        }
    }

    /// The same, encrypted.
    pub(crate) fn encrypted(mut self) -> Self {
        let identity = age::x25519::Identity::generate();
        self.settings.recipients = vec![identity.to_public().to_string()];
        let text = SecretString::from(identity.to_string().expose_secret().to_owned());
        self.settings.identity = Some(text.clone());
        self.identity = Some(text);
        self
    }

    /// The same, as plain files for people.
    pub(crate) fn mirrored(mut self) -> Self {
        self.settings.layout = Layout::Mirror;
        self
    }

    pub(crate) fn root(&self) -> &Path {
        match &self.settings.root {
            Root::LocalFolder { path } => path,
            other => panic!("{other:?} is no folder"),
        }
    }

    pub(crate) fn subject(&self) -> Subject {
        let key = key();
        Subject {
            archive: open_archive(self.settings.clone()).unwrap(),
            id: self.settings.archive,
            layout: self.settings.layout,
            sign: Arc::new(move |message| {
                let mut signature = [0; 64];
                signature.copy_from_slice(key.sign(message).as_ref());
                signature
            }),
        }
    }

    pub(crate) async fn reader(&self) -> ArchiveReader {
        ArchiveReader::open(&self.settings.root, self.identity.as_ref())
            .await
            .unwrap()
    }
}

pub(crate) fn s3_root(server: &S3Server, prefix: &str) -> S3Root {
    S3Root {
        settings: S3Settings {
            bucket: S3Server::BUCKET.to_owned(),
            prefix: prefix.to_owned(),
            endpoint: server.endpoint(),
            region: S3Server::REGION.to_owned(),
        },
        access_key_id: S3Server::ACCESS_KEY.to_owned(),
        secret_access_key: SecretString::from(S3Server::SECRET_KEY),
        client: client(),
    }
}

pub(crate) fn client() -> GuardedClient {
    HttpSettings::default().guarded(true).unwrap()
}

/// All files below a folder, sorted, as paths with `/`.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    fn walk(folder: &Path, below: &str, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{below}{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                walk(&entry.path(), &format!("{path}/"), found);
            } else {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, "", &mut found);
    found.sort();
    found
}
