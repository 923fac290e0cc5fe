//! Around every call: may this caller call this method, whose trace is it, how did it end and how long did it take.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use tintype_ports::trace::TraceLink;
use tokio::time::Instant;
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};
use tracing::{Instrument as _, Span, field::Empty};

use crate::{access, listener::Peer};

/// The header that W3C Trace Context names.
const TRACE_HEADER: &str = "traceparent";
const STATUS_HEADER: &str = "grpc-status";

/// Puts the door in front of the services.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) traces: Arc<dyn TraceLink>,
}

/// Services behind the door.
#[derive(Clone)]
pub(crate) struct Behind<S> {
    services: S,
    traces: Arc<dyn TraceLink>,
}

impl<S> Layer<S> for Door {
    type Service = Behind<S>;

    fn layer(&self, services: S) -> Behind<S> {
        Behind {
            services,
            traces: Arc::clone(&self.traces),
        }
    }
}

impl<S> Service<Request<Body>> for Behind<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.services.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let began = Instant::now();
        let span = self.span(&request);
        let method = match admitted(&request) {
            Ok(method) => method,
            Err((method, why)) => {
                span.in_scope(|| tracing::warn!(reason = why, "the vault refuses a call"));
                count(method, Code::PermissionDenied, began);
                let refusal = Status::permission_denied(why).into_http();
                return Box::pin(std::future::ready(Ok(refusal)));
            }
        };
        let answering = self.services.call(request);
        let recorded = span.clone();
        let answering = async move {
            let answer = answering.await?;
            let code = code_of(&answer);
            recorded.record("rpc.code", name_of(code));
            if code != Code::Ok {
                recorded.record("otel.status_code", "ERROR");
            }
            count(method, code, began);
            Ok(answer)
        };
        Box::pin(answering.instrument(span))
    }
}

impl<S> Behind<S> {
    fn span(&self, request: &Request<Body>) -> Span {
        let peer = request.extensions().get::<Peer>();
        let span = tracing::info_span!(
            "vault call",
            otel.kind = "server",
            rpc.system = "grpc",
            rpc.method = access::find(request.uri().path()).map_or("unknown", |method| method.path),
            rpc.code = Empty,
            otel.status_code = Empty,
            peer.identity = peer.map(|peer| peer.identity.as_str()),
        );
        let parent = request.headers().get(TRACE_HEADER);
        let parent = parent.and_then(|value| value.to_str().ok());
        // A header that is no trace is a call without one, says the standard.
        if let Some(parent) = parent.and_then(|text| text.parse().ok()) {
            self.traces.adopt(&span, &parent);
        }
        span
    }
}

/// The method's name for metrics, or a refusal.
fn admitted(request: &Request<Body>) -> Result<&'static str, (&'static str, String)> {
    let path = request.uri().path();
    let Some(method) = access::find(path) else {
        return Err(("unknown", "there is no such method".to_owned()));
    };
    let Some(peer) = request.extensions().get::<Peer>() else {
        return Err((method.path, "the caller is not known".to_owned()));
    };
    if method.allows(&peer.identity) {
        return Ok(method.path);
    }
    let why = format!("{} may not call {}", peer.identity, method.path);
    Err((method.path, why))
}

fn count(method: &'static str, code: Code, began: Instant) {
    let code = name_of(code);
    metrics::counter!("tintype_vault_requests_total", "method" => method, "code" => code)
        .increment(1);
    metrics::histogram!("tintype_vault_request_seconds", "method" => method)
        .record(began.elapsed().as_secs_f64());
}

/// A refusal stands in the header; what went well says so only behind the answer.
fn code_of(answer: &Response<Body>) -> Code {
    match answer.headers().get(STATUS_HEADER) {
        Some(value) => Code::from_bytes(value.as_bytes()),
        None => Code::Ok,
    }
}

const fn name_of(code: Code) -> &'static str {
    match code {
        Code::Ok => "ok",
        Code::Cancelled => "cancelled",
        Code::Unknown => "unknown",
        Code::InvalidArgument => "invalid_argument",
        Code::DeadlineExceeded => "deadline_exceeded",
        Code::NotFound => "not_found",
        Code::AlreadyExists => "already_exists",
        Code::PermissionDenied => "permission_denied",
        Code::ResourceExhausted => "resource_exhausted",
        Code::FailedPrecondition => "failed_precondition",
        Code::Aborted => "aborted",
        Code::OutOfRange => "out_of_range",
        Code::Unimplemented => "unimplemented",
        Code::Internal => "internal",
        Code::Unavailable => "unavailable",
        Code::DataLoss => "data_loss",
        Code::Unauthenticated => "unauthenticated",
    }
}
