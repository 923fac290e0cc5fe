//! Lists in pages.

use axum::{
    extract::{FromRequestParts, Query},
    http::{StatusCode, request::Parts},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::problem::Problem;

const LONGEST: u32 = 100;
const USUAL: u32 = 25;

/// Which page.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    pub(crate) limit: Option<u32>,
    /// What the page before gave as `next_cursor`.
    pub(crate) cursor: Option<String>,
}

impl Wanted {
    pub(crate) fn limit(&self) -> Result<u32, Problem> {
        match self.limit.unwrap_or(USUAL) {
            limit @ 1..=LONGEST => Ok(limit),
            _ => Err(bad(format!("limit: ask for 1 to {LONGEST}"))),
        }
    }

    /// The id after which the page begins.
    pub(crate) fn after<T: std::str::FromStr>(&self) -> Result<Option<T>, Problem> {
        let Some(cursor) = &self.cursor else {
            return Ok(None);
        };
        let id = opened(cursor).and_then(|text| text.parse().ok());
        let wrong = || bad("cursor: this is not one that a page gave".into());
        id.map(Some).ok_or_else(wrong)
    }
}

/// Where the next page begins. Nobody but us is to look into it, so that what is in it can change.
fn sealed(id: &str) -> String {
    URL_SAFE_NO_PAD.encode(id)
}

fn opened(cursor: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    String::from_utf8(bytes).ok()
}

pub(crate) fn bad(detail: String) -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "bad_query",
        "The query cannot be used",
        detail,
    )
}

/// One page of a list.
#[derive(Debug, Serialize)]
pub(crate) struct Page<T> {
    pub(crate) data: Vec<T>,
    pub(crate) next_cursor: Option<String>,
    pub(crate) has_more: bool,
}

impl<T> Page<T> {
    /// The first `limit` of `found`, which holds one more where there are more.
    pub(crate) fn of(mut found: Vec<T>, limit: u32, id: impl Fn(&T) -> String) -> Self {
        let limit = limit as usize;
        let has_more = found.len() > limit;
        found.truncate(limit);
        Self {
            next_cursor: found
                .last()
                .filter(|_| has_more)
                .map(|last| sealed(&id(last))),
            has_more,
            data: found,
        }
    }
}

/// A query without fields that nobody knows.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        let Query(asked) = query.map_err(|error| bad(error.body_text()))?;
        Ok(Self(asked))
    }
}
