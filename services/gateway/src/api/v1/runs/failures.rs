//! `GET /v1/runs/{id}/failures`: items of the run's plan whose bytes could not be had, and why.
//!
//! The catalogue knows what failed last, not what failed in each run: once the bytes were had, an item is no longer here.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Serialize;
use tintype_model::{
    RunId,
    item::{MediaKind, ProviderId},
};
use tintype_ports::store::FailedItem;

use crate::{
    Shared,
    caller::Tenant,
    id::Id,
    page::{Asked, Page, Wanted},
    problem::Problem,
};

#[derive(Debug, Serialize)]
pub(crate) struct View {
    #[serde(skip)]
    seq: u64,
    /// The provider's id.
    item: ProviderId,
    filename: String,
    kind: MediaKind,
    code: &'static str,
    message: String,
}

impl From<FailedItem> for View {
    fn from(it: FailedItem) -> Self {
        Self {
            seq: it.seq,
            item: it.provider_id,
            filename: it.metadata.filename,
            kind: it.metadata.kind,
            code: it.fault.kind.code(),
            message: it.fault.message,
        }
    }
}

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Tenant(tenant): Tenant,
    Id(id): Id<RunId>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Page<View>>, Problem> {
    let limit = wanted.limit()?;
    let store = &shared.app.ports().store;
    let run = store.run(tenant, id).await?;
    let run = run.ok_or_else(|| Problem::not_found("the run"))?;
    let found = store
        .failures(tenant, run.plan, wanted.after()?, limit + 1)
        .await?;
    let views = found.into_iter().map(View::from).collect();
    Ok(Json(Page::of(views, limit, |it: &View| it.seq.to_string())))
}
