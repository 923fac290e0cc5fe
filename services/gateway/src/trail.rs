//! Around every request: an id, a span, a deadline, a bound on how many there are, one line in the log, headers.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use tintype_model::{ErrorKind, RunId};
use tracing::Instrument as _;

use crate::{Shared, problem::Problem};

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// Nothing of ours is to be kept by caches, sniffed, framed or run.
const SHIELDS: [(HeaderName, &str); 5] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    ),
    (header::X_FRAME_OPTIONS, "DENY"),
];

/// A caller's own id, where it is one that a log can take.
fn given(request: &Request) -> Option<String> {
    let text = request.headers().get(REQUEST_ID)?.to_str().ok()?;
    let is_sane = (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || b"-_.".contains(&it));
    is_sane.then(|| text.to_owned())
}

/// Anybody may make up methods, so a count has one name for all that are not ours.
fn known(method: &Method) -> &'static str {
    const OURS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
    let found = OURS.into_iter().find(|it| *it == method.as_str());
    found.unwrap_or("other")
}

pub(crate) async fn follow(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let ports = shared.app.ports();
    let id = given(&request).unwrap_or_else(|| {
        // Sorted by time like every id of ours.
        let made = RunId::new(ports.clock.now(), ports.entropy.id_bytes());
        format!("req_{}", made.as_uuid().simple())
    });
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or_else(|| "none".to_owned(), |it| it.as_str().to_owned());
    let span = tracing::info_span!(
        "request",
        otel.kind = "server",
        request.id = %id,
        http.request.method = %method,
        http.route = %route,
        http.response.status_code = tracing::field::Empty,
    );
    let parent = request.headers().get("traceparent");
    if let Some(parent) = parent.and_then(|it| it.to_str().ok()?.parse().ok()) {
        ports.traces.adopt(&span, &parent);
    }
    let mut answer = bounded(&shared, request, next)
        .instrument(span.clone())
        .await;
    let status = answer.status();
    span.record("http.response.status_code", status.as_u16());
    if let Some(mut problem) = answer.extensions_mut().remove::<Problem>() {
        problem.request_id = Some(id.clone());
        let rest = std::mem::take(answer.headers_mut());
        answer = problem.into_response();
        for (name, value) in &rest {
            if *name != header::CONTENT_LENGTH {
                answer.headers_mut().insert(name, value.clone());
            }
        }
    }
    let headers = answer.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    for (name, value) in SHIELDS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let seconds = began.elapsed().as_secs_f64();
    let class = format!("{}xx", status.as_u16() / 100);
    metrics::counter!("tintype_http_requests_total",
        "method" => known(&method), "route" => route.clone(), "status" => class)
    .increment(1);
    metrics::histogram!("tintype_http_request_seconds", "route" => route).record(seconds);
    span.in_scope(|| {
        tracing::info!(
            http.seconds = seconds,
            http.status = status.as_u16(),
            "answered"
        );
    });
    answer
}

async fn bounded(shared: &Shared, request: Request, next: Next) -> Response {
    let Ok(turn) = Arc::clone(&shared.requests).try_acquire_owned() else {
        let mut problem = Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            "Too many requests are under way",
            "try again in a moment",
        );
        problem.retry_after = Some(1);
        return problem.into_response();
    };
    // A task of its own: what was begun is brought to its end, and its answer kept, whether or not somebody still waits for it.
    let work = async move {
        let answer = next.run(request).await;
        drop(turn);
        answer
    };
    let work = tokio::spawn(work.in_current_span());
    // A stream's answer is there as soon as it begins, so the deadline is not about how long it lasts.
    match tokio::time::timeout(shared.limits.answer_within, work).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(defect)) => {
            tracing::error!(error = %defect, "a request met a defect");
            Problem::of(ErrorKind::Internal, "").into_response()
        }
        Err(_) => Problem::new(
            StatusCode::GATEWAY_TIMEOUT,
            "too_slow",
            "The answer took too long",
            "what was asked may still happen; look before you ask again, or ask with the same idempotency key",
        )
        .into_response(),
    }
}
