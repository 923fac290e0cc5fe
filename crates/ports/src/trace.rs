//! Traces that go on from one process to the next.

use tintype_model::trace::TraceParent;
use tracing::Span;

/// Joins spans across processes.
pub trait TraceLink: Send + Sync {
    /// The span that is current now, where traces are made at all; its flags say whether this one is recorded.
    fn current(&self) -> Option<TraceParent>;

    /// Makes `span` go on from `parent`. To be called before the span is entered.
    fn adopt(&self, span: &Span, parent: &TraceParent);
}

/// Nothing is traced.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoTraces;

impl TraceLink for NoTraces {
    fn current(&self) -> Option<TraceParent> {
        None
    }

    fn adopt(&self, _span: &Span, _parent: &TraceParent) {}
}
