//! A collector of traces: takes spans by OTLP over gRPC, keeps them, and writes each as a line of JSON when asked to.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::Write as _,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::{AnyValue, KeyValue, any_value::Value},
    trace::v1::{Span, span::SpanKind, status::StatusCode},
};
use serde_json::json;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle, time::timeout};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

/// How long [`Collector::wait_for`] waits.
const PATIENCE: Duration = Duration::from_secs(20);

/// A span that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectedSpan {
    /// The trace, in 32 hex digits.
    pub trace: String,
    /// The span, in 16 hex digits.
    pub id: String,
    /// The span above it.
    pub parent: Option<String>,
    /// Its name.
    pub name: String,
    /// `internal`, `server`, `client`, `producer` or `consumer`.
    pub kind: &'static str,
    /// Nanoseconds since 1970.
    pub began_at: u64,
    /// Nanoseconds since 1970.
    pub ended_at: u64,
    /// Whether it ended in an error.
    pub failed: bool,
    /// The text that came with its status.
    pub status: String,
    /// What it says, as text.
    pub attributes: BTreeMap<String, String>,
    /// Events of it, by name.
    pub events: Vec<String>,
    /// What its process says of itself, as text.
    pub resource: BTreeMap<String, String>,
}

impl CollectedSpan {
    /// An attribute's text.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    fn of(span: Span, resource: &BTreeMap<String, String>) -> Self {
        let status = span.status.unwrap_or_default();
        Self {
            trace: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent: Some(hex(&span.parent_span_id)).filter(|it| !it.is_empty()),
            name: span.name,
            kind: match SpanKind::try_from(span.kind) {
                Ok(SpanKind::Server) => "server",
                Ok(SpanKind::Client) => "client",
                Ok(SpanKind::Producer) => "producer",
                Ok(SpanKind::Consumer) => "consumer",
                _ => "internal",
            },
            began_at: span.start_time_unix_nano,
            ended_at: span.end_time_unix_nano,
            failed: status.code == StatusCode::Error as i32,
            status: status.message,
            attributes: texts(span.attributes),
            events: span.events.into_iter().map(|event| event.name).collect(),
            resource: resource.clone(),
        }
    }

    fn line(&self) -> String {
        json!({
            "trace": self.trace,
            "span": self.id,
            "parent": self.parent,
            "name": self.name,
            "kind": self.kind,
            "began_at": self.began_at,
            "ended_at": self.ended_at,
            "failed": self.failed,
            "status": self.status,
            "attributes": self.attributes,
            "events": self.events,
            "resource": self.resource,
        })
        .to_string()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn texts(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    attributes
        .into_iter()
        .map(|it| (it.key, it.value.map_or_else(String::new, text)))
        .collect()
}

fn text(value: AnyValue) -> String {
    match value.value {
        Some(Value::StringValue(text)) => text,
        Some(Value::BoolValue(truth)) => truth.to_string(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::DoubleValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}

struct Kept {
    spans: Mutex<Vec<CollectedSpan>>,
    file: Option<Mutex<File>>,
    arrived: watch::Sender<usize>,
}

impl Kept {
    fn keep(&self, request: ExportTraceServiceRequest) -> std::io::Result<()> {
        let mut fresh = Vec::new();
        for of_process in request.resource_spans {
            let resource = texts(of_process.resource.unwrap_or_default().attributes);
            let spans = of_process.scope_spans.into_iter().flat_map(|it| it.spans);
            fresh.extend(spans.map(|span| CollectedSpan::of(span, &resource)));
        }
        if let Some(file) = &self.file {
            let lines: String = fresh.iter().map(|span| span.line() + "\n").collect();
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.write_all(lines.as_bytes())?;
        }
        let mut spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        spans.extend(fresh);
        self.arrived.send_replace(spans.len());
        Ok(())
    }
}

struct Door(Arc<Kept>);

#[tonic::async_trait]
impl TraceService for Door {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let kept = self.0.keep(request.into_inner());
        kept.map_err(|error| Status::internal(error.to_string()))?;
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// A collector on a port of its own, until it is dropped.
pub struct Collector {
    address: SocketAddr,
    kept: Arc<Kept>,
    serving: JoinHandle<()>,
}

impl Collector {
    /// Keeps spans in memory.
    pub async fn start() -> Self {
        Self::serve(None).await
    }

    /// Also appends each span to `file`, one JSON object a line.
    ///
    /// # Panics
    /// When the file cannot be opened.
    pub async fn writing_to(file: &Path) -> Self {
        let opened = OpenOptions::new().create(true).append(true).open(file);
        let opened = opened.expect("the file of the spans can be opened");
        Self::serve(Some(Mutex::new(opened))).await
    }

    async fn serve(file: Option<Mutex<File>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("the port is known");
        let kept = Arc::new(Kept {
            spans: Mutex::default(),
            file,
            arrived: watch::Sender::new(0),
        });
        let door = TraceServiceServer::new(Door(Arc::clone(&kept)));
        let serving = tokio::spawn(async move {
            let server = Server::builder().add_service(door);
            let served = server.serve_with_incoming(TcpListenerStream::new(listener));
            served.await.expect("the collector serves");
        });
        Self {
            address,
            kept,
            serving,
        }
    }

    /// Where it listens, as `OTEL_EXPORTER_OTLP_ENDPOINT` wants it.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What has arrived so far.
    #[must_use]
    pub fn spans(&self) -> Vec<CollectedSpan> {
        let spans = self.kept.spans.lock();
        spans.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What has arrived once that is `enough`.
    ///
    /// # Panics
    /// When it does not become enough in 20 seconds; says what was there.
    pub async fn wait_for(&self, enough: impl Fn(&[CollectedSpan]) -> bool) -> Vec<CollectedSpan> {
        let mut arrived = self.kept.arrived.subscribe();
        let waited = async {
            loop {
                arrived.borrow_and_update();
                let spans = self.spans();
                if enough(&spans) {
                    return spans;
                }
                // The sender lives as long as this collector.
                let _ = arrived.changed().await;
            }
        };
        match timeout(PATIENCE, waited).await {
            Ok(spans) => spans,
            Err(_) => {
                let names: Vec<String> = self.spans().into_iter().map(|it| it.name).collect();
                panic!("not enough spans arrived in {PATIENCE:?}: {names:?}");
            }
        }
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
