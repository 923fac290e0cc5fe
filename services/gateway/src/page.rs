//! Lists in pages.

use axum::{
    extract::{FromRequestParts, Query},
    http::{StatusCode, request::Parts},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::problem::Problem;

const LONGEST: u32 = 100;
const USUAL: u32 = 25;

/// Which page.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    limit: Option<u32>,
    /// What the page before gave as `next_cursor`: the last one's id.
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
        let parsed = self.cursor.as_deref().map(str::parse).transpose();
        parsed.map_err(|_| bad("cursor: this is not one that a page gave".into()))
    }
}

fn bad(detail: String) -> Problem {
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
            next_cursor: found.last().filter(|_| has_more).map(id),
            has_more,
            data: found,
        }
    }

    /// The page of a list that is at hand as a whole, in order of ids.
    pub(crate) fn cut<K: Ord + std::str::FromStr + ToString>(
        mut all: Vec<T>,
        wanted: &Wanted,
        id: impl Fn(&T) -> K,
    ) -> Result<Self, Problem> {
        let limit = wanted.limit()?;
        if let Some(after) = wanted.after::<K>()? {
            all.retain(|it| id(it) > after);
        }
        all.sort_by_key(&id);
        Ok(Self::of(all, limit, |it| id(it).to_string()))
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
