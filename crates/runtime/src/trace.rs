//! Where the current work stands in a distributed trace, and how it goes on from another process.

use opentelemetry::{
    Context, SpanId, TraceFlags, TraceId,
    trace::{SpanContext, TraceContextExt as _, TraceState},
};
use tintype_model::trace::TraceParent;
use tintype_ports::trace::TraceLink;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The span that is current now, where traces are exported. Also when this trace was not chosen to be recorded: whoever
/// goes on from here must not choose anew.
#[must_use]
pub fn current() -> Option<TraceParent> {
    Context::map_current(|context| {
        let span = context.span();
        let place = span.span_context();
        place.is_valid().then(|| parent_of(place)).flatten()
    })
}

fn parent_of(place: &SpanContext) -> Option<TraceParent> {
    let (trace, span) = (place.trace_id(), place.span_id());
    let sampled = u8::from(place.is_sampled());
    format!("00-{trace}-{span}-{sampled:02x}").parse().ok()
}

/// Makes `span` go on from `parent`. To be called before the span is entered. Where traces are not exported nothing happens.
pub fn adopt(span: &Span, parent: &TraceParent) {
    if let Some(place) = place_of(parent) {
        // A span that nobody records has no parent to be told of.
        drop(span.set_parent(Context::new().with_remote_span_context(place)));
    }
}

/// What the header's text names. Of its flags only the one that says whether the trace is recorded is known.
fn place_of(parent: &TraceParent) -> Option<SpanContext> {
    let mut parts = parent.as_str().split('-').skip(1);
    let trace = TraceId::from_hex(parts.next()?).ok()?;
    let span = SpanId::from_hex(parts.next()?).ok()?;
    let flags = u8::from_str_radix(parts.next()?, 16).ok()?;
    let flags = TraceFlags::new(flags) & TraceFlags::SAMPLED;
    let place = SpanContext::new(trace, span, flags, true, TraceState::NONE);
    place.is_valid().then_some(place)
}

/// The port, for the use cases.
#[derive(Debug, Clone, Copy, Default)]
pub struct Traces;

impl TraceLink for Traces {
    fn current(&self) -> Option<TraceParent> {
        current()
    }

    fn adopt(&self, span: &Span, parent: &TraceParent) {
        adopt(span, parent);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parent(text: &str) -> TraceParent {
        text.parse().unwrap()
    }

    #[test]
    fn a_place_in_a_trace_is_written_as_it_was_read() {
        for text in [
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-00ad6b7169203331-00",
        ] {
            let place = place_of(&parent(text)).unwrap();
            assert!(place.is_remote());
            assert_eq!(parent_of(&place), Some(parent(text)));
        }
    }

    #[test]
    fn flags_that_nobody_knows_are_dropped() {
        let odd = parent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff");
        let written = parent_of(&place_of(&odd).unwrap()).unwrap();
        assert!(written.as_str().ends_with("-01"), "{written}");
    }

    #[test]
    fn without_traces_nothing_is_current_and_adopting_does_no_harm() {
        let parent = parent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        let span = tracing::info_span!("work");
        adopt(&span, &parent);
        assert_eq!(span.in_scope(current), None);
    }
}
