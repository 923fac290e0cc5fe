//! The API, by version.

pub(crate) mod v1;

use axum::http::{Method, StatusCode};

use crate::problem::Problem;

pub(crate) async fn no_such_route() -> Problem {
    Problem::not_found("the path")
}

pub(crate) async fn no_such_method(method: Method) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "The path does not take this method",
        method.as_str(),
    )
}
