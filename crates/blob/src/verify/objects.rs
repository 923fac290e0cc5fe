//! Each distinct object once: there, decrypts, right length, right hash.

use futures::{StreamExt as _, TryStreamExt as _, stream::FuturesUnordered};
use tintype_model::{SnapshotId, item::StoredContent, plan::Layout};
use tintype_ports::{ArchiveError, archive::ManifestEntry};

use super::{Findings, ProblemKind, key_of, snapshots::End};
use crate::{manifest::BAD_SIGNATURE, paths, reader::ArchiveReader, sidecar};

/// What reading one object told.
struct Checked {
    bytes: u64,
    problems: Vec<(String, ProblemKind, String)>,
}

/// Checks a manifest and what it needs, beyond what was checked before. `None` when the manifest is damaged.
pub(super) async fn check_snapshot(
    reader: &ArchiveReader,
    snapshot: SnapshotId,
    parallel: usize,
    findings: &mut Findings<'_>,
) -> Result<Option<End>, ArchiveError> {
    let sealed = reader.descriptor().is_encrypted();
    let manifest = paths::manifest(snapshot, sealed);
    let mut entries = match reader.read_manifest(snapshot).await {
        Ok(entries) => entries,
        Err(error) => return manifest_problem(&manifest, error, findings).map(|()| None),
    };
    let mut running = FuturesUnordered::new();
    let (mut previous, mut end) = (None, None);
    loop {
        match entries.try_next().await {
            Ok(None) => break,
            Ok(Some(ManifestEntry::Head(head))) => previous = head.previous,
            Ok(Some(ManifestEntry::Album(_))) => {}
            Ok(Some(ManifestEntry::End { hash, .. })) => end = Some(End { hash, previous }),
            Ok(Some(ManifestEntry::Item(item))) => {
                findings.report.items += 1;
                for content in [item.content].into_iter().chain(item.renditions) {
                    if !is_new(&content, findings) {
                        continue;
                    }
                    if running.len() >= parallel.max(1) {
                        take_one(&mut running, findings).await?;
                    }
                    running.push(check_object(reader, content));
                }
            }
            Err(error) => {
                manifest_problem(&manifest, error, findings)?;
                break;
            }
        }
    }
    while !running.is_empty() {
        take_one(&mut running, findings).await?;
    }
    Ok(end)
}

async fn take_one<F: Future<Output = Result<Checked, ArchiveError>>>(
    running: &mut FuturesUnordered<F>,
    findings: &mut Findings<'_>,
) -> Result<(), ArchiveError> {
    let Some(checked) = running.next().await else {
        return Ok(());
    };
    let checked = checked?;
    findings.report.objects += 1;
    findings.report.bytes += checked.bytes;
    for (path, kind, detail) in checked.problems {
        findings.problem(&path, kind, detail);
    }
    findings.show();
    Ok(())
}

fn is_new(content: &StoredContent, findings: &mut Findings<'_>) -> bool {
    findings.needed.insert(key_of(&content.path));
    let mut hasher = blake3::Hasher::new();
    hasher.update(content.blob.as_bytes());
    hasher.update(&content.size.to_le_bytes());
    hasher.update(content.path.as_bytes());
    findings.checked.insert(*hasher.finalize().as_bytes())
}

fn manifest_problem(
    path: &str,
    error: ArchiveError,
    findings: &mut Findings<'_>,
) -> Result<(), ArchiveError> {
    let (kind, detail) = problem_of(error)?;
    let bad_signature = detail.ends_with(BAD_SIGNATURE);
    findings.problem(
        path,
        if bad_signature {
            ProblemKind::BadSignature
        } else {
            kind
        },
        detail,
    );
    Ok(())
}

/// A damaged object is a finding; a place that refuses or an identity that is missing ends the check.
fn problem_of(error: ArchiveError) -> Result<(ProblemKind, String), ArchiveError> {
    match error {
        ArchiveError::Missing(detail) => Ok((ProblemKind::Missing, detail)),
        ArchiveError::Corrupt(detail) => Ok((ProblemKind::Damaged, detail)),
        ArchiveError::Unavailable(detail) | ArchiveError::ReadOnly(detail) => {
            Ok((ProblemKind::Unreadable, detail))
        }
        other => Err(other),
    }
}

async fn check_object(
    reader: &ArchiveReader,
    content: StoredContent,
) -> Result<Checked, ArchiveError> {
    let mut checked = Checked {
        bytes: 0,
        problems: Vec::new(),
    };
    let path = content.path.as_str();
    let (layout, sealed) = (reader.layout(), reader.descriptor().is_encrypted());
    if !paths::fits(path, &content.blob, layout, sealed) {
        let detail = "a manifest names a path that cannot be one in this layout".to_owned();
        checked
            .problems
            .push((path.to_owned(), ProblemKind::ForeignFile, detail));
        return Ok(checked);
    }
    if let Some((kind, detail)) = check_bytes(reader, &content, &mut checked.bytes).await? {
        checked.problems.push((path.to_owned(), kind, detail));
    }
    if layout == Layout::Mirror {
        let sidecar = paths::sidecar(path);
        if let Some((kind, detail)) = check_sidecar(reader, &sidecar).await? {
            checked.problems.push((sidecar, kind, detail));
        }
    }
    Ok(checked)
}

async fn check_bytes(
    reader: &ArchiveReader,
    content: &StoredContent,
    bytes: &mut u64,
) -> Result<Option<(ProblemKind, String)>, ArchiveError> {
    let mut hasher = blake3::Hasher::new();
    let read = async {
        let mut stream = reader.read(&content.path).await?;
        while let Some(piece) = stream.try_next().await? {
            hasher.update(&piece);
            *bytes += piece.len() as u64;
        }
        Ok(())
    };
    if let Err(error) = read.await {
        return problem_of(error).map(Some);
    }
    if *bytes != content.size {
        let detail = format!(
            "it has {} bytes, the manifest says {}",
            *bytes, content.size
        );
        return Ok(Some((ProblemKind::WrongLength, detail)));
    }
    if hasher.finalize().as_bytes() != content.blob.as_bytes() {
        let detail = "its bytes do not have the hash that the manifest says".to_owned();
        return Ok(Some((ProblemKind::Damaged, detail)));
    }
    Ok(None)
}

async fn check_sidecar(
    reader: &ArchiveReader,
    path: &str,
) -> Result<Option<(ProblemKind, String)>, ArchiveError> {
    let read = async {
        let stream = reader.read(path).await?;
        stream
            .try_fold(Vec::new(), |mut all, piece| async move {
                all.extend_from_slice(&piece);
                Ok(all)
            })
            .await
    };
    match read.await {
        Ok(bytes) if sidecar::is_intact(&bytes) => Ok(None),
        Ok(_) => Ok(Some((
            ProblemKind::Damaged,
            "the sidecar is not as it was written".to_owned(),
        ))),
        Err(error) => problem_of(error).map(Some),
    }
}
