//! Which spans become part of a trace.
//!
//! A span of level info may begin a trace. One of level debug is a detail (a page, an item, a call) and only ever part of a
//! trace that is recorded: it is asked before anything is allocated, so that where nothing is exported, or this trace was not
//! chosen, a detail costs a look at a thread-local value.

use opentelemetry::{Context, trace::TraceContextExt as _};
use tracing::{Level, Metadata, Subscriber, level_filters::LevelFilter, subscriber::Interest};
use tracing_subscriber::{layer, layer::Filter};

/// Spans of ours; libraries have their own ideas of what is worth telling, and of what may be told.
const OURS: &str = "tintype";

/// Lets through what belongs into a trace. Events are for the logs.
#[derive(Debug, Clone, Copy)]
pub(super) struct SpansOfTraces;

fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && *metadata.level() <= Level::DEBUG && metadata.target().starts_with(OURS)
}

/// Whether the work at hand is part of a trace, and whether that is recorded.
fn recorded() -> Option<bool> {
    Context::map_current(|context| {
        context
            .has_active_span()
            .then(|| context.span().span_context().is_sampled())
    })
}

impl<S: Subscriber> Filter<S> for SpansOfTraces {
    fn enabled(&self, metadata: &Metadata<'_>, _: &layer::Context<'_, S>) -> bool {
        if !is_ours(metadata) {
            return false;
        }
        match recorded() {
            Some(is_recorded) => is_recorded,
            None => *metadata.level() <= Level::INFO,
        }
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_ours(metadata) {
            Interest::sometimes()
        } else {
            Interest::never()
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::DEBUG)
    }
}
