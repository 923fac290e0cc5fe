//! What lies there that no snapshot needs.

use futures::TryStreamExt as _;
use opendal::ErrorKind;
use tintype_model::plan::Layout;
use tintype_ports::ArchiveError;

use super::{Findings, ProblemKind, key_of};
use crate::{
    errors,
    paths::{self, MIRROR, OBJECTS, SNAPSHOT_INDEX, SNAPSHOTS},
    reader::ArchiveReader,
};

/// Counts what nobody needs and names what does not belong there.
pub(super) async fn look(
    reader: &ArchiveReader,
    findings: &mut Findings<'_>,
) -> Result<(), ArchiveError> {
    let sealed = reader.descriptor().is_encrypted();
    let folder = match reader.layout() {
        Layout::Archive => OBJECTS,
        Layout::Mirror => MIRROR,
    };
    for folder in [folder, SNAPSHOTS] {
        let failed = |error: opendal::Error| errors::of_storage(folder, &error);
        let mut entries = match reader.operator().lister_with(folder).recursive(true).await {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            entries => entries.map_err(failed)?,
        };
        while let Some(entry) = entries.try_next().await.map_err(failed)? {
            if entry.metadata().is_file() {
                judge(entry.path(), folder, sealed, findings);
            }
        }
    }
    Ok(())
}

fn judge(path: &str, folder: &str, sealed: bool, findings: &mut Findings<'_>) {
    let belongs = match folder {
        OBJECTS => paths::blob_of(path, sealed).is_some(),
        SNAPSHOTS => path == SNAPSHOT_INDEX || paths::snapshot_of(path, sealed).is_some(),
        // A person may put what they like beside mirrored files.
        _ => true,
    };
    if !belongs {
        findings.problem(
            path,
            ProblemKind::ForeignFile,
            "it does not belong into an archive",
        );
        return;
    }
    let is_needed = |path: &str| findings.needed.contains(&key_of(path));
    let is_sidecar = || path.strip_suffix(".json").is_some_and(is_needed);
    if folder != SNAPSHOTS && !is_needed(path) && !is_sidecar() {
        findings.report.extra += 1;
    }
}
