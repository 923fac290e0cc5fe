//! Brings spans that have ended to the collector, in the background: work never waits for it.
//!
//! The SDK's own batch processor keeps its losses to itself and has no deadline; this one counts what it drops, and why.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use opentelemetry::Context;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanExporter, SpanProcessor},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{sleep_until, timeout},
};

use super::{TelemetrySettings, attributes::keep_allowed};

/// A collector that is away is a line in the log this often.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);

/// Flushes that may wait at the same time.
const FLUSHES: usize = 8;

type Flushed = oneshot::Sender<bool>;

/// Takes spans as they end.
#[derive(Debug)]
pub(super) struct Processor {
    ended: mpsc::Sender<SpanData>,
}

/// Asks for what waits to be exported now.
#[derive(Debug)]
pub(super) struct Exporter {
    flushes: mpsc::Sender<Flushed>,
}

impl Processor {
    /// Starts exporting on the current runtime, until the processor is dropped and everything it took has been tried.
    pub(super) fn start<E>(collector: E, settings: &TelemetrySettings) -> (Self, Exporter)
    where
        E: SpanExporter + 'static,
    {
        let (ended, waiting) = mpsc::channel(settings.queue.max(1));
        let (flushes, asked) = mpsc::channel(FLUSHES);
        let export = Export {
            collector,
            waiting,
            asked,
            batch: settings.batch.max(1),
            gather_for: settings.gather_for,
            within: settings.export_within,
            complained_at: None,
            lost_since: 0,
        };
        tokio::spawn(export.run());
        (Self { ended }, Exporter { flushes })
    }
}

impl SpanProcessor for Processor {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, mut span: SpanData) {
        if !span.span_context.is_sampled() {
            return;
        }
        keep_allowed(&mut span);
        if self.ended.try_send(span).is_err() {
            dropped("queue_full", 1);
        }
    }

    /// Not waited for here, where a thread of the runtime would stand still: see [`Exporter::flush`].
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl Exporter {
    /// See [`super::Telemetry::flush`].
    pub(super) async fn flush(&self, within: Duration) -> bool {
        let flushed = async {
            let (reply, done) = oneshot::channel();
            self.flushes.send(reply).await.ok()?;
            done.await.ok()
        };
        matches!(timeout(within, flushed).await, Ok(Some(true)))
    }
}

struct Export<E> {
    collector: E,
    waiting: mpsc::Receiver<SpanData>,
    asked: mpsc::Receiver<Flushed>,
    batch: usize,
    gather_for: Duration,
    within: Duration,
    complained_at: Option<Instant>,
    /// Spans lost since then.
    lost_since: u64,
}

/// Why gathering ended.
enum Gathered {
    /// The batch is full, or was given time enough.
    Enough,
    /// Somebody waits for everything that has ended so far.
    Asked(Flushed),
    /// There will be no more.
    Over,
}

impl<E: SpanExporter> Export<E> {
    async fn run(mut self) {
        loop {
            let mut spans = Vec::new();
            let gathered = self.gather(&mut spans).await;
            let mut all_taken = self.export(spans).await;
            match gathered {
                Gathered::Enough => {}
                Gathered::Over => return,
                Gathered::Asked(reply) => {
                    all_taken &= self.drain().await;
                    // Whoever asked may have stopped waiting.
                    let _ = reply.send(all_taken);
                }
            }
        }
    }

    /// Waits for a first span, then a little for others.
    async fn gather(&mut self, spans: &mut Vec<SpanData>) -> Gathered {
        let mut full_at = None;
        while spans.len() < self.batch {
            let room = self.batch - spans.len();
            let due = async {
                match full_at {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                taken = self.waiting.recv_many(spans, room) => {
                    if taken == 0 {
                        return Gathered::Over;
                    }
                    full_at.get_or_insert_with(|| tokio::time::Instant::now() + self.gather_for);
                }
                Some(reply) = self.asked.recv() => return Gathered::Asked(reply),
                () = due => return Gathered::Enough,
            }
        }
        Gathered::Enough
    }

    /// Exports what waits now; what ends meanwhile is for the next time, or a busy process would never be done.
    async fn drain(&mut self) -> bool {
        let mut left = self.waiting.len();
        let mut all_taken = true;
        while left > 0 {
            let mut spans = Vec::new();
            let taken = self
                .waiting
                .recv_many(&mut spans, self.batch.min(left))
                .await;
            if taken == 0 {
                break;
            }
            left -= taken;
            all_taken &= self.export(spans).await;
        }
        all_taken
    }

    /// One call to the collector. What it does not take in time is dropped: trying longer would only drop newer spans.
    async fn export(&mut self, spans: Vec<SpanData>) -> bool {
        if spans.is_empty() {
            return true;
        }
        let count = spans.len() as u64;
        let why = match timeout(self.within, self.collector.export(spans)).await {
            Ok(Ok(())) => {
                metrics::counter!("tintype_spans_exported_total").increment(count);
                return true;
            }
            Ok(Err(error)) => one_line(&error),
            Err(_) => {
                let seconds = self.within.as_secs_f32();
                format!("no answer within {seconds} s")
            }
        };
        dropped("not_taken", count);
        self.complain(count, &why);
        false
    }

    fn complain(&mut self, lost: u64, why: &str) {
        self.lost_since += lost;
        let is_due = self
            .complained_at
            .is_none_or(|at| at.elapsed() >= COMPLAIN_EVERY);
        if is_due {
            tracing::warn!(
                spans.dropped = self.lost_since,
                error = why,
                "the collector does not take traces; work goes on without them"
            );
            self.complained_at = Some(Instant::now());
            self.lost_since = 0;
        }
    }
}

fn dropped(reason: &'static str, spans: u64) {
    metrics::counter!("tintype_spans_dropped_total", "reason" => reason).increment(spans);
}

fn one_line(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
