//! What a listed item means for the catalogue.

use tintype_model::item::ItemMetadata;
use tintype_ports::store::KnownItem;

/// What to write for a listed item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Never seen: copy it.
    New,
    /// Other bytes than before: copy it again.
    Changed,
    /// Same bytes, other metadata: write that down.
    Retold,
    /// It counted as gone and is there again, unchanged.
    Back,
    /// Nothing to write.
    Same,
}

/// Compares what is listed with what is known. Failed items are not tried again here: their turn comes once a run.
pub(crate) fn judge(known: Option<&KnownItem>, listed: &ItemMetadata) -> Verdict {
    let Some(known) = known else {
        return Verdict::New;
    };
    if known.content_fingerprint != listed.content_fingerprint() {
        return Verdict::Changed;
    }
    if known.metadata_fingerprint != listed.metadata_fingerprint() {
        return Verdict::Retold;
    }
    if known.gone {
        Verdict::Back
    } else {
        Verdict::Same
    }
}
