//! Bodies: JSON that says nothing we do not know, with the field named that is wrong.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{StatusCode, header},
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use tintype_model::ErrorKind;
use tokio::time::timeout;

use crate::{
    Limits, Shared,
    problem::{Fault, Problem},
};

/// A JSON body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Arc<Shared>> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, shared: &Arc<Shared>) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|it| it.to_str().ok()).unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "not_json",
                "The body is not JSON",
                "send Content-Type: application/json",
            ));
        }
        let bytes = collect(request.into_body(), shared.limits).await?;
        read(&bytes).map(Self)
    }
}

/// The whole body, when it is short enough and comes soon enough.
pub(crate) async fn collect(body: axum::body::Body, limits: Limits) -> Result<Bytes, Problem> {
    let collected = timeout(
        limits.body_within,
        Limited::new(body, limits.body).collect(),
    )
    .await;
    let Ok(collected) = collected else {
        return Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "body_too_slow",
            "The body did not come in time",
            format!("send it within {} s", limits.body_within.as_secs()),
        ));
    };
    let whole = collected.map_err(|error| {
        if error.is::<LengthLimitError>() {
            return Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                "The body is too large",
                format!("send at most {} bytes", limits.body),
            );
        }
        Problem::new(
            StatusCode::BAD_REQUEST,
            "body_cut_off",
            "The body did not arrive whole",
            "send it again",
        )
    })?;
    Ok(whole.to_bytes())
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value: T = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let inner = error.inner();
        if !inner.is_data() {
            return malformed(inner);
        }
        // Where in the text stands in the pointer; what was sent may be a secret and is not repeated.
        let path: Vec<String> = error.path().iter().map(|it| it.to_string()).collect();
        let mut problem = Problem::of(ErrorKind::InvalidInput, wrong(inner));
        let path: Vec<&str> = path.iter().map(|it| it.trim_matches(['[', ']'])).collect();
        problem.errors.push(Fault {
            pointer: path
                .iter()
                .filter(|it| **it != "?")
                .map(|it| format!("/{}", it.replace('~', "~0").replace('/', "~1")))
                .collect(),
            code: code(inner),
            detail: wrong(inner),
        });
        problem
    })?;
    json.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "malformed_json",
        "The body is not JSON that can be read",
        format!("line {} column {}", error.line(), error.column()),
    )
}

/// What kind of mistake it is.
fn code(error: &serde_json::Error) -> &'static str {
    let text = error.to_string();
    let is = |beginning: &str| text.starts_with(beginning);
    if is("unknown field") {
        "unknown_field"
    } else if is("missing field") {
        "missing"
    } else if is("duplicate field") {
        "duplicate"
    } else {
        "invalid"
    }
}

/// The error's words without values: `invalid type: string "secret", expected u32` keeps only what was expected.
fn wrong(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    let is_invalid = text.starts_with("invalid type") || text.starts_with("invalid value");
    match text.rsplit_once("expected ") {
        Some((_, expected)) if is_invalid => format!("expected {expected}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Sample {
        name: String,
        count: Option<u32>,
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Inner {
        secret: u32,
    }

    fn refused(text: &str) -> Problem {
        read::<Sample>(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn the_wrong_field_is_pointed_at_and_its_value_kept_quiet() {
        let problem = refused(r#"{"name":"a","inner":{"secret":"hunter2"}}"#);
        assert_eq!(problem.errors[0].pointer, "/inner/secret");
        assert_eq!(problem.detail, "expected u32");
        let unknown = refused(r#"{"name":"a","nmae":1}"#);
        assert!(unknown.detail.contains("nmae"), "{unknown:?}");
        assert_eq!(unknown.errors[0].pointer, "/nmae");
        assert_eq!(unknown.errors[0].code, "unknown_field");
        assert_eq!(refused("{}").errors[0].code, "missing");
    }

    #[test]
    fn hostile_json_is_refused() {
        let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
        for text in [
            deep.as_str(),
            r#"{"name":"a","name":"b"}"#,
            r#"{"name":"a","count":1e999}"#,
            r#"{"name":"a","count":99999999999999999999}"#,
            r#"{"name":"a"} {}"#,
            r#"{"name":"#,
            "",
        ] {
            let problem = refused(text);
            assert!(problem.status.is_client_error(), "{text:.40}: {problem:?}");
        }
    }
}
