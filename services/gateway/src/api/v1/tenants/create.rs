//! `POST /v1/tenants`: makes a tenant.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use tintype_app::setup::NewTenant;

use super::View;
use crate::{
    Shared,
    body::Body,
    etag::{self, Tag},
    problem::Problem,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    name: String,
    #[serde(default = "one")]
    weight: u32,
    max_shards: Option<u32>,
}

const fn one() -> u32 {
    1
}

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Body(input): Body<Input>,
) -> Result<(StatusCode, Tag, Json<View>), Problem> {
    let new = NewTenant {
        name: input.name,
        weight: input.weight,
        max_shards: input.max_shards,
    };
    let tenant = shared.app.create_tenant(new).await?;
    Ok((StatusCode::CREATED, etag::of(&tenant), Json(tenant.into())))
}
