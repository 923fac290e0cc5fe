//! `POST /v1/storages/{id}/test`: tests an account with real calls: four that Google counts at most.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use tintype_model::StorageId;

use super::checks;
use crate::{Shared, caller::Tenant, id::Id, problem::Problem};

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Tenant(tenant): Tenant,
    Id(id): Id<StorageId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    // A storage that is not there is told before a stream begins.
    let found = shared.app.ports().store.storage(tenant, id).await?;
    found.ok_or_else(|| Problem::not_found("the storage"))?;
    let app = shared.app.clone();
    checks::answer(&shared, tenant, &headers, |lines| async move {
        app.test_storage(tenant, id, |check| lines.tell(check))
            .await
    })
    .await
}
