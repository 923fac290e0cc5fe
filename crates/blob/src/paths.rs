//! Where things lie below the root.

use std::path::{Component, Path};

use tintype_model::{BlobHash, SnapshotId, plan::Layout};
use tintype_ports::ArchiveError;

pub(crate) const DESCRIPTOR: &str = "tintype.json";
pub(crate) const OBJECTS: &str = "objects/";
pub(crate) const SNAPSHOTS: &str = "snapshots/";
pub(crate) const MIRROR: &str = "by-month/";
pub(crate) const SNAPSHOT_INDEX: &str = "snapshots/index";
pub(crate) const STAGING: &str = ".staging";
const MANIFEST_ENDING: &str = ".json.zst";
const SEALED_ENDING: &str = ".age";

const fn ending(sealed: bool) -> &'static str {
    if sealed { SEALED_ENDING } else { "" }
}

/// `objects/ab/<64 digits>[.age]`.
pub(crate) fn object(blob: &BlobHash, sealed: bool) -> String {
    let digits = blob.to_string();
    format!("{OBJECTS}{}/{digits}{}", &digits[..2], ending(sealed))
}

/// `snapshots/<id>.json.zst[.age]`.
pub(crate) fn manifest(snapshot: SnapshotId, sealed: bool) -> String {
    format!("{SNAPSHOTS}{snapshot}{MANIFEST_ENDING}{}", ending(sealed))
}

/// The snapshot that a path below the root is the manifest of.
pub(crate) fn snapshot_of(path: &str, sealed: bool) -> Option<SnapshotId> {
    let name = path.strip_prefix(SNAPSHOTS)?;
    let id = name
        .strip_suffix(ending(sealed))?
        .strip_suffix(MANIFEST_ENDING)?;
    id.parse().ok().filter(|&id| manifest(id, sealed) == path)
}

/// The content that a path below the root is the object of.
pub(crate) fn blob_of(path: &str, sealed: bool) -> Option<BlobHash> {
    let digits = path.rsplit('/').next()?.strip_suffix(ending(sealed))?;
    digits
        .parse()
        .ok()
        .filter(|blob| object(blob, sealed) == path)
}

/// The sidecar of a mirrored file.
pub(crate) fn sidecar(path: &str) -> String {
    format!("{path}.json")
}

/// Whether what a manifest calls a path can be one in this layout. Manifests are signed; this guards against our own mistakes
/// and a signing key in wrong hands.
pub(crate) fn fits(path: &str, blob: &BlobHash, layout: Layout, sealed: bool) -> bool {
    match layout {
        Layout::Archive => path == object(blob, sealed),
        Layout::Mirror => check_mirrored(path).is_ok(),
    }
}

/// A mirrored file lies below `by-month/`, and its path has only plain parts.
pub(crate) fn check_mirrored(path: &str) -> Result<(), ArchiveError> {
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    let fits = path.starts_with(MIRROR)
        && !path.ends_with('/')
        && !path.contains(['\\', '\0', '\n'])
        && path.split('/').all(|part| !part.is_empty() && part != ".")
        && Path::new(path).components().all(plain);
    if fits {
        return Ok(());
    }
    Err(ArchiveError::Settings(format!(
        "a mirrored file cannot lie at {path:?}"
    )))
}
