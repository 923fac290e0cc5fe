//! Which spans become part of a trace.
//!
//! A span of level info may begin a trace. One of level debug is a detail (a page, an item, a call) and only ever part of a
//! trace that is recorded: it is asked before anything is allocated, so that where nothing is exported, or this trace was not
//! chosen, a detail costs a look at a thread-local value.

use opentelemetry::{Context, trace::TraceContextExt as _};
use tracing::{Level, Metadata, Subscriber, level_filters::LevelFilter, subscriber::Interest};
use tracing_subscriber::{Layer, layer, layer::Filter};

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

/// Stops details before they are made. A filter of one layer cannot: the registry makes a span for whatever any of up to 64
/// filters might want, and only a refusal that is known for the callsite itself spares it that.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spare {
    /// Nothing beyond it is logged; below debug.
    logged: LevelFilter,
}

impl Spare {
    /// `None` where the logs may want details too.
    pub(super) fn beside_logs(logged: Option<LevelFilter>) -> Option<Self> {
        let logged = logged.filter(|most| *most < LevelFilter::DEBUG)?;
        Some(Self { logged })
    }
}

impl<S: Subscriber> Layer<S> for Spare {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_ours(metadata) {
            Interest::sometimes()
        } else if *metadata.level() <= self.logged {
            Interest::always()
        } else {
            Interest::never()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: layer::Context<'_, S>) -> bool {
        let is_detail = is_ours(metadata) && *metadata.level() > Level::INFO;
        !is_detail || recorded() == Some(true)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::DEBUG)
    }
}
