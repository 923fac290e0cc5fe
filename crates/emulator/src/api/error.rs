//! Google's error answers, word for word where they are known.

use serde_json::json;

use crate::net::call::Reply;
use crate::state::quota::Exhausted;

/// An error as the JSON APIs answer it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) code: u16,
    pub(crate) status: &'static str,
    pub(crate) message: String,
}

impl ApiError {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self {
            code: 400,
            status: "INVALID_ARGUMENT",
            message: message.into(),
        }
    }

    pub(crate) fn precondition(message: impl Into<String>) -> Self {
        Self {
            code: 400,
            status: "FAILED_PRECONDITION",
            message: message.into(),
        }
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self {
            code: 404,
            status: "NOT_FOUND",
            message: message.into(),
        }
    }

    pub(crate) fn denied(message: impl Into<String>) -> Self {
        Self {
            code: 403,
            status: "PERMISSION_DENIED",
            message: message.into(),
        }
    }

    pub(crate) fn insufficient_scopes() -> Self {
        Self::denied("Request had insufficient authentication scopes.")
    }

    /// `api` is its name and its host's.
    pub(crate) fn api_disabled(api: (&str, &str), project: &str) -> Self {
        let (name, host) = api;
        Self::denied(format!(
            "Photos {name} API has not been used in project {project} before or it is disabled. \
             Enable it by visiting https://console.developers.google.com/apis/api/{host}.googleapis.com/overview?project={project} \
             then retry."
        ))
    }

    pub(crate) fn unauthenticated() -> Self {
        Self {
            code: 401,
            status: "UNAUTHENTICATED",
            message:
                "Request had invalid authentication credentials. Expected OAuth 2 access token, \
                      login cookie or other valid authentication credential. See \
                      https://developers.google.com/identity/sign-in/web/devconsole-project."
                    .to_owned(),
        }
    }

    pub(crate) fn quota(reason: Exhausted, project: &str) -> Self {
        let period = match reason {
            Exhausted::Day => "day",
            Exhausted::Minute => "minute",
        };
        Self {
            code: 429,
            status: "RESOURCE_EXHAUSTED",
            message: format!(
                "Quota exceeded for quota metric 'All requests' and limit 'All requests per {period}' \
                 of service 'photoslibrary.googleapis.com' for consumer 'project_number:{project}'."
            ),
        }
    }

    pub(crate) fn write_lock() -> Self {
        Self {
            code: 429,
            status: "RESOURCE_EXHAUSTED",
            message: "Quota exceeded for quota 'concurrent write request' of service \
                      'photoslibrary.googleapis.com'."
                .to_owned(),
        }
    }

    /// An error of any HTTP status, with Google's usual words unless others are given.
    pub(crate) fn of_status(code: u16, message: Option<String>) -> Self {
        let (status, usual) = match code {
            400 => ("INVALID_ARGUMENT", "Request contains an invalid argument."),
            401 => {
                return Self {
                    message: message.unwrap_or(Self::unauthenticated().message),
                    ..Self::unauthenticated()
                };
            }
            403 => ("PERMISSION_DENIED", "The caller does not have permission"),
            404 => ("NOT_FOUND", "Requested entity was not found."),
            409 => ("ABORTED", "The operation was aborted."),
            429 => (
                "RESOURCE_EXHAUSTED",
                "Resource has been exhausted (e.g. check quota).",
            ),
            503 => ("UNAVAILABLE", "The service is currently unavailable."),
            504 => ("DEADLINE_EXCEEDED", "The request timed out."),
            _ => ("INTERNAL", "Internal error encountered."),
        };
        Self {
            code,
            status,
            message: message.unwrap_or_else(|| usual.to_owned()),
        }
    }

    pub(crate) fn reply(&self) -> Reply {
        let body = json!({"error": {
            "code": self.code,
            "message": self.message,
            "status": self.status,
        }});
        Reply::value(self.code, &body)
    }
}
