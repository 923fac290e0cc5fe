//! `PATCH /v1/tenants/{id}`: changes what the body names.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::{Deserialize, Deserializer};
use tintype_app::setup::NewTenant;
use tintype_model::TenantId;

use super::View;
use crate::{
    Shared,
    body::Body,
    etag::{self, Believed, Tag},
    id::Id,
    problem::Problem,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    name: Option<String>,
    weight: Option<u32>,
    /// `null` takes the cap away; left out it stays.
    #[serde(default, deserialize_with = "given")]
    max_shards: Option<Option<u32>>,
}

/// Tells `null` from a field that is not there.
pub(crate) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Id(id): Id<TenantId>,
    believed: Believed,
    Body(input): Body<Input>,
) -> Result<(Tag, Json<View>), Problem> {
    let now = shared.app.tenant(id).await?;
    believed.check(&now)?;
    let to = NewTenant {
        name: input.name.unwrap_or_else(|| now.name.clone()),
        weight: input.weight.unwrap_or(now.weight),
        max_shards: input.max_shards.unwrap_or(now.max_shards),
    };
    let tenant = shared.app.update_tenant(&now, to).await?;
    Ok((etag::of(&tenant), Json(tenant.into())))
}
