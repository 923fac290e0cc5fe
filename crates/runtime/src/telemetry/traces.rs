//! From spans of `tracing` to spans of OpenTelemetry.

use opentelemetry::{KeyValue, trace::TracerProvider as _};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracerProvider, SpanExporter as _},
};
use tracing::Subscriber;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::{Layer, registry::LookupSpan};

use super::{
    TelemetryError, TelemetrySettings,
    export::{Exporter, Processor},
    filter::SpansOfTraces,
};

/// The layer that makes spans, and what exports them to `endpoint`.
pub(super) fn layer<S>(
    settings: &TelemetrySettings,
    endpoint: &str,
) -> Result<(Box<dyn Layer<S> + Send + Sync>, Exporter), TelemetryError>
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    let resource = Resource::builder_empty()
        .with_service_name(settings.service.clone())
        .with_attributes([
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("tintype.role", settings.role.clone()),
        ])
        .build();
    let mut otlp = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .with_timeout(settings.export_within)
        .build()
        .map_err(TelemetryError::Exporter)?;
    otlp.set_resource(&resource);
    let (processor, exporter) = Processor::start(otlp, settings);
    let provider = SdkTracerProvider::builder()
        .with_resource(resource)
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(
            settings.sampling,
        ))))
        .with_span_processor(processor)
        .build();
    let layer = OpenTelemetryLayer::new(provider.tracer("tintype"))
        // What these would add is the same for every span of a name, or of no use.
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_level(false)
        .with_tracked_inactivity(false);
    Ok((layer.with_filter(SpansOfTraces).boxed(), exporter))
}
