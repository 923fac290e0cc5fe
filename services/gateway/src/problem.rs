//! What went wrong, as an RFC 9457 problem document.

use std::ops::{Deref, DerefMut};

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use tintype_app::{AppError, runs::describe};
use tintype_model::ErrorKind;
use tintype_ports::StoreError;

/// A field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Fault {
    /// Where in the body (RFC 6901).
    pub(crate) pointer: String,
    /// The kind of mistake: `invalid`, `missing`, `duplicate`, `unknown_field`.
    pub(crate) code: &'static str,
    /// What is wrong with it.
    pub(crate) detail: String,
}

/// What to do about it, for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Action {
    /// `retry`, `wait`, `reauthorise`, `grant`, `mend_destination`.
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    /// Where, when it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) href: Option<String>,
}

impl Action {
    /// What helps against a class of failure.
    pub(crate) fn against(kind: ErrorKind) -> Option<Self> {
        let kind = match kind {
            ErrorKind::Unavailable => "retry",
            ErrorKind::QuotaExhausted => "wait",
            ErrorKind::AuthLost => "reauthorise",
            ErrorKind::Forbidden => "grant",
            ErrorKind::PickAwaited => "pick",
            ErrorKind::DestinationFull
            | ErrorKind::DestinationMissing
            | ErrorKind::DestinationReadOnly => "mend_destination",
            ErrorKind::InvalidInput
            | ErrorKind::NotFound
            | ErrorKind::Conflict
            | ErrorKind::LeaseLost
            | ErrorKind::Corrupt
            | ErrorKind::Internal => return None,
        };
        Some(Self { kind, href: None })
    }
}

/// A problem document. In a box: results that carry one stay small.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Problem(Box<Document>);

/// What the document says. `request_id` is added on the way out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Document {
    #[serde(serialize_with = "number")]
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) title: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) detail: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) errors: Vec<Fault>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) action: Option<Action>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<String>,
    #[serde(skip)]
    pub(crate) retry_after: Option<u64>,
}

impl Deref for Problem {
    type Target = Document;

    fn deref(&self) -> &Document {
        &self.0
    }
}

impl DerefMut for Problem {
    fn deref_mut(&mut self) -> &mut Document {
        &mut self.0
    }
}

fn number<S: serde::Serializer>(status: &StatusCode, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u16(status.as_u16())
}

impl Problem {
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self(Box::new(Document {
            status,
            code,
            title,
            detail: detail.into(),
            errors: Vec::new(),
            action: None,
            request_id: None,
            retry_after: None,
        }))
    }

    /// A class of failure, with its own status and code.
    pub(crate) fn of(kind: ErrorKind, detail: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(kind.http_status());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut problem = Self::new(status, kind.code(), title(kind), detail);
        problem.action = Action::against(kind);
        if kind == ErrorKind::Unavailable {
            problem.retry_after = Some(5);
        }
        problem
    }

    /// Something that is not there, or belongs to somebody else.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::of(ErrorKind::NotFound, format!("{what} was not found"))
    }

    /// No stream can be opened just now.
    pub(crate) fn no_seat() -> Self {
        let mut problem = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            "Too many streams are open",
            "try again in a moment",
        );
        problem.retry_after = Some(5);
        problem
    }

    /// Something of ours broke.
    pub(crate) fn defect() -> Self {
        Self::of(ErrorKind::Internal, "")
    }

    /// A field of the body is wrong.
    pub(crate) fn field(name: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let mut problem = Self::of(ErrorKind::InvalidInput, format!("{name}: {detail}"));
        problem.errors.push(Fault {
            pointer: format!("/{}", name.replace('.', "/")),
            code: "invalid",
            detail,
        });
        problem
    }
}

const fn title(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidInput => "What was sent cannot be used",
        ErrorKind::NotFound => "There is no such thing",
        ErrorKind::Conflict | ErrorKind::LeaseLost => "What is there does not allow it",
        ErrorKind::AuthLost => "Google no longer accepts the credential",
        ErrorKind::Forbidden => "The credential does not allow it",
        ErrorKind::QuotaExhausted => "The quota of the cloud project is used up",
        ErrorKind::Unavailable => "A part of the service is unavailable; try again later",
        ErrorKind::DestinationFull => "The destination is full",
        ErrorKind::DestinationMissing => "The destination cannot be reached",
        ErrorKind::DestinationReadOnly => "The destination refuses writes",
        ErrorKind::PickAwaited => "A person has yet to pick photos",
        ErrorKind::Corrupt | ErrorKind::Internal => "A defect of the service",
    }
}

impl From<AppError> for Problem {
    fn from(error: AppError) -> Self {
        let kind = error.kind();
        let detail = match &error {
            // Says in itself what is wrong with what was asked.
            AppError::Store(StoreError::Conflict(what)) => what.clone(),
            AppError::Store(StoreError::NotFound(what)) => format!("{what} was not found"),
            error => describe(error),
        };
        match kind {
            // What is inside stays inside; the log has it, under the request's id.
            ErrorKind::Internal | ErrorKind::Corrupt | ErrorKind::Unavailable => {
                tracing::error!(error = %detail, error.kind = kind.code(), "a request failed");
                Self::of(kind, "")
            }
            // The model words it as "field: what is wrong; what to do".
            ErrorKind::InvalidInput => match detail.split_once(": ") {
                Some((field, what)) if is_field(field) => Self::field(field, what),
                _ => Self::of(kind, detail),
            },
            // A credential of the tenant's, not the caller's.
            ErrorKind::AuthLost => {
                let mut problem = Self::of(kind, detail);
                problem.status = StatusCode::CONFLICT;
                problem
            }
            _ => Self::of(kind, detail),
        }
    }
}

/// A field, or one inside another: `batch.size`.
fn is_field(text: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|it| it.is_ascii_lowercase() || it == b'_')
    };
    text.split('.').all(is_name)
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        AppError::from(error).into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status;
        let retry_after = self.retry_after;
        let mut answer = (status, Json(&self)).into_response();
        let headers = answer.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        // The layer around everything adds the request's id to the document.
        answer.extensions_mut().insert(self);
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_typed_wrongly_is_pointed_at() {
        let problem = Problem::from(AppError::Invalid(
            "name: must not be empty; choose one".into(),
        ));
        assert_eq!(problem.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(problem.errors[0].pointer, "/name");
        let unsorted = Problem::from(AppError::Invalid("no good: at all".into()));
        assert_eq!(unsorted.errors, []);
    }

    #[test]
    fn what_is_inside_stays_inside() {
        let secret = std::io::Error::other("password hunter2 refused");
        let problem = Problem::from(StoreError::Database(Box::new(secret)));
        let shown = serde_json::to_string(&problem).unwrap();
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
