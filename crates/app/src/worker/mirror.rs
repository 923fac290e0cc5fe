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
    let otherwise = distinct(item, &identity);
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

/// The path of an item's original, which comes while older bytes of the same content are stored: beside them, wherever they lie,
/// because earlier snapshots need that file.
pub(crate) fn claim_beside(item: &PendingItem) -> PathClaim {
    let metadata = &item.metadata;
    let identity = format!(
        "{} {} original",
        item.provider_id,
        metadata.content_fingerprint()
    );
    let path = distinct(item, &identity);
    PathClaim {
        seq: item.seq,
        wanted: path.clone(),
        otherwise: path,
    }
}

fn distinct(item: &PendingItem, identity: &str) -> String {
    let metadata = &item.metadata;
    let digits = BlobHash::of(identity.as_bytes()).to_string();
    names::mirror_path_distinct(metadata.created_at, &metadata.filename, &digits[..12])
}

/// The placement at that path, with the item's metadata as the sidecar.
pub(crate) fn placement(item: &PendingItem, path: String) -> Placement {
    let sidecar = serde_json::json!({ "id": item.provider_id, "metadata": item.metadata });
    Placement::At {
        path,
        sidecar: format!("{sidecar:#}\n"),
    }
}
