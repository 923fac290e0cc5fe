//! What spans say, in the same words everywhere.
//!
//! A span of level info may begin a trace: a run, a job. Everything below is a detail of level debug, which costs nothing where
//! no trace is recorded. Spans carry ids of ours, numbers and words of our own; their start and end are the duration.

use tintype_model::{ErrorKind, item::MediaKind};
use tracing::{Span, debug_span, field::Empty};

/// The way of one item.
pub(crate) fn of_item(seq: u64, kind: MediaKind) -> Span {
    debug_span!(
        "item",
        item.seq = seq,
        item.kind = ?kind,
        item.bytes = Empty,
        error.kind = Empty,
        otel.status_code = Empty,
    )
}

/// Marks the span as failed. It must have been made with the fields `error.kind` and `otel.status_code`.
pub(crate) fn failed(span: &Span, kind: ErrorKind) {
    if !span.is_disabled() {
        span.record("error.kind", kind.code());
        span.record("otel.status_code", "ERROR");
    }
}
