//! `snapshots/index`: the names of all snapshots, so that a manifest that was removed can be named.

use std::collections::BTreeSet;

use opendal::{ErrorKind, Operator};
use tintype_model::{BlobHash, SnapshotId};
use tintype_ports::ArchiveError;

use crate::{errors, paths::SNAPSHOT_INDEX};

const CHECK: &str = "check ";

/// The snapshots that were published. The newest may be missing: it is added after its manifest is visible.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Index(pub(crate) BTreeSet<SnapshotId>);

impl Index {
    /// One id a line, then `check` and the BLAKE3 of the lines before.
    pub(crate) fn to_text(&self) -> String {
        let lines: String = self.0.iter().map(|id| format!("{id}\n")).collect();
        format!("{lines}{CHECK}{}\n", BlobHash::of(lines.as_bytes()))
    }

    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let ids = text.lines().take_while(|line| !line.starts_with(CHECK));
        let index = Self(ids.map(str::parse).collect::<Result<_, _>>().ok()?);
        (index.to_text() == text).then_some(index)
    }

    /// Reads it; `None` when there is none.
    pub(crate) async fn load(operator: &Operator) -> Result<Option<Self>, ArchiveError> {
        let bytes = match operator.read(SNAPSHOT_INDEX).await {
            Ok(bytes) => bytes.to_vec(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(errors::of_storage(SNAPSHOT_INDEX, &error)),
        };
        let index = String::from_utf8(bytes)
            .ok()
            .and_then(|text| Self::from_text(&text));
        let damaged =
            || ArchiveError::Corrupt(format!("{SNAPSHOT_INDEX} is not as it was written"));
        index.map(Some).ok_or_else(damaged)
    }
}
