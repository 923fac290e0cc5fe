//! Where a mirrored item lies, and the sidecar beside it.

use tintype_model::{BlobHash, names};
use tintype_ports::{
    archive::Placement,
    store::{PathClaim, PendingItem},
};

/// The path an item would like, and the one it takes if another item has that. The second one names the item and its
/// content, so that it is never anybody else's; an item whose content changed goes there at once, because older snapshots
/// still need the file at its first path.
pub(crate) fn claim(item: &PendingItem) -> PathClaim {
    let metadata = &item.metadata;
    let identity = format!("{} {}", item.provider_id, metadata.content_fingerprint());
    let digits = BlobHash::of(identity.as_bytes()).to_string();
    let otherwise =
        names::mirror_path_distinct(metadata.created_at, &metadata.filename, &digits[..12]);
    let wanted = if item.has_content {
        otherwise.clone()
    } else {
        names::mirror_path(metadata.created_at, &metadata.filename)
    };
    PathClaim {
        seq: item.seq,
        wanted,
        otherwise,
    }
}

/// The placement at that path, with the item's metadata as the sidecar.
pub(crate) fn placement(item: &PendingItem, path: String) -> Placement {
    let sidecar = serde_json::json!({ "id": item.provider_id, "metadata": item.metadata });
    Placement::At {
        path,
        sidecar: format!("{sidecar:#}\n"),
    }
}
