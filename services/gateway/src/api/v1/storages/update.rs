//! `PATCH /v1/storages/{id}`: changes what the body names: the name, and the options of an account.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Deserialize;
use tintype_model::{StorageId, storage::ProxyUrl};

use super::{
    View,
    options::{Batch, Options, named},
};
use crate::{
    Shared,
    body::Body,
    caller::Tenant,
    etag::{self, Believed, Tag},
    id::Id,
    problem::Problem,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    name: Option<String>,
    read_only: Option<bool>,
    start_year: Option<i32>,
    include_archived: Option<bool>,
    read_size: Option<bool>,
    batch: Option<Batch>,
    #[serde(default, deserialize_with = "named")]
    proxy: Option<Option<ProxyUrl>>,
}

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Tenant(tenant): Tenant,
    Id(id): Id<StorageId>,
    believed: Believed,
    Body(input): Body<Input>,
) -> Result<(Tag, Json<View>), Problem> {
    let found = shared.app.ports().store.storage(tenant, id).await?;
    let found = found.ok_or_else(|| Problem::not_found("the storage"))?;
    believed.check(&found)?;
    let name = input.name.unwrap_or_else(|| found.name.clone());
    let options = Options {
        read_only: input.read_only,
        start_year: input.start_year,
        include_archived: input.include_archived,
        read_size: input.read_size,
        batch: input.batch,
        proxy: input.proxy,
    };
    let account = options.of(&found.settings, shared.policy)?;
    let storage = shared.app.update_storage(&found, &name, account).await?;
    Ok((etag::of(&storage), Json(storage.into())))
}
