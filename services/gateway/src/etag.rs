//! Tags of what is shown, so that nobody changes what somebody else changed meanwhile.

use axum::{
    extract::FromRequestParts,
    http::{HeaderName, HeaderValue, StatusCode, header, request::Parts},
};
use serde::Serialize;

use crate::problem::Problem;

/// The header that carries the tag of what is shown.
pub(crate) type Tag = [(HeaderName, HeaderValue); 1];

/// The tag of a value: another one when anything of it is another.
pub(crate) fn of<T: Serialize>(value: &T) -> Tag {
    let tag = text(value);
    [(
        header::ETAG,
        HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\"")),
    )]
}

fn text<T: Serialize>(value: &T) -> String {
    // Values of the model always have a JSON form.
    let json = serde_json::to_vec(value).unwrap_or_default();
    let hash = blake3::hash(&json).to_hex();
    format!("\"{}\"", &hash[..32])
}

/// What the caller believes is there: `If-Match`.
#[derive(Debug, Clone)]
pub(crate) struct Believed(Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for Believed {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let mut all = Vec::new();
        for given in parts.headers.get_all(header::IF_MATCH) {
            // What is not text is no tag of ours, and matches nothing.
            all.push(given.to_str().unwrap_or("-"));
        }
        Ok(Self((!all.is_empty()).then(|| all.join(","))))
    }
}

impl Believed {
    /// Refuses when the caller believes something else than `value`. Whoever believes nothing changes whatever is there.
    pub(crate) fn check<T: Serialize>(&self, value: &T) -> Result<(), Problem> {
        let Some(believed) = &self.0 else {
            return Ok(());
        };
        let tag = text(value);
        let fits = |given: &str| given == "*" || given == tag;
        if believed.split(',').map(str::trim).any(fits) {
            return Ok(());
        }
        Err(Problem::new(
            StatusCode::PRECONDITION_FAILED,
            "changed_meanwhile",
            "It is no longer what it was when you looked",
            "read it again, and send its ETag as If-Match",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_there_matches() {
        let believed = |given: Option<&str>| Believed(given.map(str::to_owned));
        let tag = text(&7);
        for (given, fits) in [
            (None, true),
            (Some("*".to_owned()), true),
            (Some(tag.clone()), true),
            (Some(format!("\"x\", {tag}")), true),
            (Some(format!("W/{tag}")), false),
            (Some(text(&8)), false),
            (Some(String::new()), false),
        ] {
            let checked = believed(given.as_deref()).check(&7);
            assert_eq!(checked.is_ok(), fits, "{given:?}");
        }
    }
}
