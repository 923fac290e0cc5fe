//! `POST /v1/storages/{id}/test`: tests an account with real calls, three quota units at most.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Serialize;
use tintype_app::setup::{Check, CheckResult};
use tintype_model::StorageId;

use crate::{Shared, caller::Tenant, id::Id, problem::Problem};

/// How the test went.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    passed: bool,
    checks: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    name: &'static str,
    result: &'static str,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'static str>,
}

impl From<Check> for Line {
    fn from(check: Check) -> Self {
        let (result, detail, code, action) = match check.result {
            CheckResult::Passed(evidence) => ("passed", evidence, None, None),
            CheckResult::Skipped(why) => ("skipped", why, None, None),
            CheckResult::Failed {
                kind,
                cause,
                action,
            } => ("failed", cause, Some(kind.code()), Some(action)),
        };
        Self {
            name: check.name.title(),
            result,
            detail,
            code,
            action,
        }
    }
}

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Tenant(tenant): Tenant,
    Id(id): Id<StorageId>,
) -> Result<Json<Outcome>, Problem> {
    let mut checks = Vec::new();
    let note = |check: Check| checks.push(check.into());
    let passed = shared.app.test_storage(tenant, id, note).await?;
    Ok(Json(Outcome { passed, checks }))
}
