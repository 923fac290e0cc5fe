//! `POST /v1/plans/{id}/preflight`: what an upload would do, before it does anything. Asks Google nothing.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Json, extract::State};
use serde::Serialize;
use tintype_app::runs::{Preflight, RefusedFile};
use tintype_model::{PlanId, forecast::Forecast};

use crate::{Shared, caller::Tenant, id::Id, problem::Problem};

#[derive(Debug, Serialize)]
struct File {
    path: String,
    reason: String,
}

/// Counts of files; `bytes` of the account's storage; `requests` of the cloud project's quota.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    files: u64,
    done: u64,
    uploads: u64,
    bytes: u64,
    requests: u64,
    /// By reason: `empty`, `type`, `too_large`.
    refused: BTreeMap<&'static str, u64>,
    /// At most 100 of them, by name.
    refused_files: Vec<File>,
    unreadable: Vec<File>,
    forecast: Option<Forecast>,
}

fn named(files: Vec<RefusedFile>) -> Vec<File> {
    let view = |file: RefusedFile| File {
        path: file.path,
        reason: file.reason,
    };
    files.into_iter().map(view).collect()
}

impl From<Preflight> for View {
    fn from(found: Preflight) -> Self {
        Self {
            files: found.files,
            done: found.done,
            uploads: found.uploads,
            bytes: found.bytes,
            requests: found.requests,
            refused: found.refused,
            refused_files: named(found.named),
            unreadable: named(found.unreadable),
            forecast: found.forecast,
        }
    }
}

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Tenant(tenant): Tenant,
    Id(id): Id<PlanId>,
) -> Result<Json<View>, Problem> {
    Ok(Json(shared.app.preflight(tenant, id).await?.into()))
}
