//! One call to Google, as a trace shows it: method, status, how it ended. Never an address: base URLs are as good as the photo.

use reqwest::StatusCode;
use tracing::{Span, debug_span, field::Empty};

use crate::failure::Failure;

/// What a call is for, and its method.
pub(crate) type Call = (&'static str, &'static str);

/// A call of the Library API; whether it reads with GET or POST says nothing.
pub(crate) const LIBRARY: Call = ("google.library", "");
/// An item's bytes on their way to Google.
pub(crate) const UPLOAD: Call = ("google.upload", "POST");
/// An item's bytes.
pub(crate) const DOWNLOAD: Call = ("google.download", "GET");
/// An original, from a proxy.
pub(crate) const ORIGINAL: Call = ("proxy.download", "GET");
/// An item's length.
pub(crate) const SIZE: Call = ("google.size", "HEAD");

/// The span of a call that begins now and ends when the span is dropped.
pub(crate) fn span((name, method): Call) -> Span {
    debug_span!(
        "google",
        otel.name = name,
        otel.kind = "client",
        http.request.method = Some(method).filter(|it| !it.is_empty()),
        http.response.status_code = Empty,
        error.kind = Empty,
        otel.status_code = Empty,
    )
}

/// The head of the answer is there.
pub(crate) fn answered(span: &Span, status: StatusCode) {
    span.record("http.response.status_code", status.as_u16());
}

/// How it ended.
pub(crate) fn ended(span: &Span, failure: Option<&Failure>) {
    let Some(failure) = failure.filter(|_| !span.is_disabled()) else {
        return;
    };
    let kind = match failure {
        Failure::Passing(passing) if passing.throttled => "throttled",
        Failure::Passing(_) => "passing",
        Failure::Token(_) => "token",
        Failure::DayOver => "day_over",
        Failure::Final(_) => "final",
    };
    span.record("error.kind", kind);
    span.record("otel.status_code", "ERROR");
}
