//! What spans say, in the same words everywhere.
//!
//! A span of level info may begin a trace: a run, a job. Everything below is a detail of level debug, which costs nothing where
//! no trace is recorded. Spans carry ids of ours, numbers and words of our own; their start and end are the duration.

use tintype_model::ErrorKind;
use tracing::Span;

/// Marks the span as failed. It must have been made with the fields `error.kind` and `otel.status_code`.
pub(crate) fn failed(span: &Span, kind: ErrorKind) {
    if !span.is_disabled() {
        span.record("error.kind", kind.code());
        span.record("otel.status_code", "ERROR");
    }
}
