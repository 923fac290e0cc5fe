//! `GET /v1/storages/{id}/duplicates`: items that Google made twice although it was asked with the same token. Nothing but the
//! person can take them away.

use std::sync::Arc;

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::Serialize;
use tintype_model::{RunId, StorageId, item::ProviderId};
use tintype_ports::store::Twin;

use crate::{
    Shared,
    caller::Tenant,
    id::Id,
    page::{Asked, Page, Wanted},
    problem::Problem,
};

#[derive(Debug, Serialize)]
pub(crate) struct View {
    id: ProviderId,
    file_name: String,
    run: RunId,
    found_at: DateTime<Utc>,
}

impl From<Twin> for View {
    fn from(twin: Twin) -> Self {
        Self {
            id: twin.id,
            file_name: twin.filename,
            run: twin.run,
            found_at: twin.found_at,
        }
    }
}

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Tenant(tenant): Tenant,
    Id(id): Id<StorageId>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Page<View>>, Problem> {
    let limit = wanted.limit()?;
    let after: Option<ProviderId> = wanted.after()?;
    let store = &shared.app.ports().store;
    if store.storage(tenant, id).await?.is_none() {
        return Err(Problem::not_found("the storage"));
    }
    let found = store.twins(tenant, id, after.as_ref(), limit + 1).await?;
    let views = found.into_iter().map(View::from).collect();
    Ok(Json(Page::of(views, limit, |it: &View| it.id.to_string())))
}
