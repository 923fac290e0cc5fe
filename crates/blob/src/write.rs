//! Writing: bytes are hashed (and sealed) on their way in, wait out of sight, and appear whole or not at all.

mod block;
mod body;
mod disk;
mod draft;
mod existing;
mod local;
mod output;
mod publish;
mod remote;
mod room;
mod shared_sync;
mod staging;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use opendal::Operator;
use tintype_model::{BlobHash, plan::Layout};
use tintype_ports::{ArchiveError, archive::Staged};

pub(crate) use body::{Body, Content};
pub(crate) use disk::{Disk, RealDisk};
pub(crate) use draft::FileDraft;
pub(crate) use existing::{Expected, Rule};
use local::Local;
use output::{Outputs, Purpose};
use remote::Remote;
use room::Room;
use staging::Staging;

use crate::{
    paths,
    sealing::Recipients,
    settings::{ArchiveSettings, Root},
};

/// Everything that drafts of one archive share.
pub(crate) struct Writing {
    pub(crate) operator: Operator,
    pub(crate) recipients: Recipients,
    layout: Layout,
    outputs: Arc<Outputs>,
    room: Option<Room>,
    sink: Sink,
}

enum Sink {
    Local(Local),
    Remote(Remote),
}

impl Writing {
    pub(crate) fn new(
        settings: &ArchiveSettings,
        recipients: Recipients,
        operator: Operator,
        disk: Arc<dyn Disk>,
    ) -> Self {
        let (staging, purpose, room, sink) = match &settings.root {
            Root::LocalFolder { path } => (
                Staging::new(path.clone(), paths::STAGING.into()),
                Purpose::Archive,
                None,
                Sink::Local(Local::new(path.clone(), Arc::clone(&disk))),
            ),
            Root::S3(_) | Root::Memory(_) => (
                Staging::spool(settings.spool.folder.clone(), "tintype-spool".into()),
                Purpose::Spool,
                Some(Room::new(settings.spool.bytes)),
                Sink::Remote(Remote::new(operator.clone())),
            ),
        };
        let layout = settings.layout;
        Self {
            operator,
            recipients,
            layout,
            outputs: Arc::new(Outputs::new(staging, disk, purpose)),
            room,
            sink,
        }
    }

    pub(crate) const fn layout(&self) -> Layout {
        self.layout
    }

    const fn is_local(&self) -> bool {
        matches!(self.sink, Sink::Local(_))
    }

    pub(crate) fn is_sealed(&self) -> bool {
        !self.recipients.is_empty()
    }

    /// Takes a finished body. Object stores have it when this returns; a local folder has it after [`Self::commit`].
    async fn stage(
        &self,
        body: Body,
        expected: Expected,
        sidecar: Option<String>,
    ) -> Result<Staged, ArchiveError> {
        let (blob, size, path) = (expected.blob, expected.size, expected.path.clone());
        let handle: Box<dyn std::any::Any + Send> = match &self.sink {
            Sink::Local(local) => {
                Box::new(local.hold(body, expected, sidecar, &self.outputs).await?)
            }
            Sink::Remote(remote) => {
                remote.send(body, &expected).await?;
                if let Some(text) = sidecar {
                    remote.send_sidecar(&expected.path, text).await?;
                }
                Box::new(Sent)
            }
        };
        Ok(Staged {
            blob,
            size,
            path,
            handle,
        })
    }

    /// Makes a group durable, then visible.
    pub(crate) async fn commit(&self, group: Vec<Staged>) -> Vec<Result<(), ArchiveError>> {
        match &self.sink {
            Sink::Local(local) => local.commit(group).await,
            Sink::Remote(_) => group.into_iter().map(was_sent).collect(),
        }
    }

    /// Stores one thing at once: durable and visible when this returns.
    pub(crate) async fn store(&self, body: Body, expected: Expected) -> Result<(), ArchiveError> {
        let staged = self.stage(body, expected, None).await?;
        self.commit(vec![staged]).await.into_iter().collect()
    }

    /// Stores a small plain file at once.
    pub(crate) async fn store_text(
        &self,
        path: &str,
        text: String,
        rule: Rule,
    ) -> Result<(), ArchiveError> {
        let bytes = Bytes::from(text);
        let expected = Expected {
            path: path.to_owned(),
            rule,
            size: bytes.len() as u64,
            blob: BlobHash::of(&bytes),
            sealed: false,
        };
        self.store(Body::of(bytes), expected).await
    }

    /// Removes what crashed writers left. Returns the number of files.
    pub(crate) async fn sweep(&self) -> Result<u64, ArchiveError> {
        self.outputs.staging.sweep().await
    }

    /// A name that no other process uses at the same time.
    pub(crate) async fn unique_name(&self) -> Result<String, ArchiveError> {
        self.outputs.staging.unique_name().await
    }
}

/// What is staged for an object store is already there.
struct Sent;

fn was_sent(staged: Staged) -> Result<(), ArchiveError> {
    match staged.handle.downcast::<Sent>() {
        Ok(_) => Ok(()),
        Err(_) => Err(other_archive()),
    }
}

fn other_archive() -> ArchiveError {
    ArchiveError::Settings("the draft was staged by another archive".to_owned())
}
