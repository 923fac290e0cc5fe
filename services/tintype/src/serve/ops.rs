//! The listener for whoever runs the process: whether it lives, whether it is ready, what it counts. Not for the public.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use futures::future::{BoxFuture, join_all};
use serde::Serialize;
use tintype_runtime::{
    Lifecycle,
    metrics::{CONTENT_TYPE, Metrics},
};
use tokio::{net::TcpListener, sync::Mutex, time::timeout};

use super::config::{Ops, wrong};
use crate::failure::Failure;

/// A part that has not answered by then is taken for unavailable.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// The same answer is given for so long, however often it is asked for.
const FRESH_FOR: Duration = Duration::from_secs(1);
/// Requests under way end within this.
const GRACE: Duration = Duration::from_secs(2);

type Ask = Box<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// A part that this process works with.
pub(crate) struct Check {
    name: &'static str,
    /// Without it the process is of no use; without the others it goes on, if slower.
    needed: bool,
    ask: Ask,
}

impl Check {
    /// A part without which the process is not ready.
    pub(crate) fn needed<F>(name: &'static str, ask: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self {
            name,
            needed: true,
            ask: Box::new(move || Box::pin(ask())),
        }
    }

    /// A part that may be away for a while.
    pub(crate) fn helpful<F>(
        name: &'static str,
        ask: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self {
            needed: false,
            ..Self::needed(name, ask)
        }
    }
}

/// How a part answered.
#[derive(Debug, Clone, Serialize)]
struct Part {
    name: &'static str,
    ok: bool,
    needed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Serialize)]
struct Readiness {
    status: &'static str,
    parts: Vec<Part>,
}

/// What the listener answers from.
struct Desk {
    checks: Vec<Check>,
    metrics: Metrics,
    life: Lifecycle,
    /// One look at a time, for all who ask meanwhile.
    seen: Mutex<Option<(Instant, Vec<Part>)>>,
}

impl Desk {
    async fn parts(&self) -> Vec<Part> {
        let mut seen = self.seen.lock().await;
        if let Some((at, parts)) = &*seen
            && at.elapsed() < FRESH_FOR
        {
            return parts.clone();
        }
        let parts = join_all(self.checks.iter().map(|check| async {
            let late = || Err(format!("no answer within {} s", ANSWER_WITHIN.as_secs()));
            let answer = timeout(ANSWER_WITHIN, (check.ask)()).await;
            let reason = answer.unwrap_or_else(|_| late()).err();
            Part {
                name: check.name,
                ok: reason.is_none(),
                needed: check.needed,
                reason,
            }
        }))
        .await;
        *seen = Some((Instant::now(), parts.clone()));
        parts
    }
}

/// The answer needs nothing but a process that runs.
async fn healthz() -> &'static str {
    "ok\n"
}

async fn readyz(State(desk): State<Arc<Desk>>) -> impl IntoResponse {
    let parts = desk.parts().await;
    let (code, status) = if desk.life.is_draining() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining")
    } else if parts.iter().any(|part| part.needed && !part.ok) {
        (StatusCode::SERVICE_UNAVAILABLE, "not_ready")
    } else {
        (StatusCode::OK, "ready")
    };
    (code, Json(Readiness { status, parts }))
}

async fn metrics(State(desk): State<Arc<Desk>>) -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, CONTENT_TYPE)],
        desk.metrics.render(),
    )
}

/// Answers in the background until `life` stops, so that the last of a process is seen as well.
pub(super) async fn listen(
    settings: &Ops,
    checks: Vec<Check>,
    metrics_of: Metrics,
    life: &Lifecycle,
) -> Result<(), Failure> {
    let listener = TcpListener::bind(settings.listen)
        .await
        .map_err(|error| wrong("ops.listen", error))?;
    let address = listener.local_addr()?;
    let desk = Arc::new(Desk {
        checks,
        metrics: metrics_of,
        life: life.clone(),
        seen: Mutex::default(),
    });
    let router = Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(desk);
    let stop = life.stopping();
    tokio::spawn(async move {
        // It ends with the process.
        let _ = tintype_gateway::serve(listener, router, stop, GRACE).await;
    });
    tracing::info!(ops.address = %address, "health, readiness and metrics are served");
    Ok(())
}
