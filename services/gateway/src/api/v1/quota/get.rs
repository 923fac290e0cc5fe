//! `GET /v1/quota`: what the cloud projects of the tenant's accounts may still spend today.

use std::{collections::BTreeSet, sync::Arc};

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::Serialize;
use tintype_app::AppError;
use tintype_model::{
    quota::{CloudProject, QuotaKind},
    storage::StorageSettings,
};

use crate::{Shared, caller::Tenant, problem::Problem};

/// One line for each project and kind of call.
#[derive(Debug, Serialize)]
pub(crate) struct Lines {
    data: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    project: CloudProject,
    kind: QuotaKind,
    limit: u64,
    /// Spent, or set aside for calls that are about to be made; by all tenants that share the project.
    used: u64,
    left: u64,
    resets_at: DateTime<Utc>,
}

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Tenant(tenant): Tenant,
) -> Result<Json<Lines>, Problem> {
    let ports = shared.app.ports();
    let storages = ports.store.storages(tenant).await?;
    let projects: BTreeSet<CloudProject> = storages
        .into_iter()
        .filter_map(|it| match it.settings {
            StorageSettings::GooglePhotos(settings) => Some(settings.project),
            StorageSettings::LocalFolder { .. } | StorageSettings::S3(_) => None,
        })
        .collect();
    let mut data = Vec::new();
    for project in projects {
        for kind in QuotaKind::ALL {
            let standing = ports.quota.standing(&project, kind).await;
            let standing = standing.map_err(AppError::from)?;
            data.push(Line {
                project: project.clone(),
                kind,
                limit: standing.limit,
                used: standing.leased,
                left: standing.limit.saturating_sub(standing.leased),
                resets_at: standing.resets_at,
            });
        }
    }
    Ok(Json(Lines { data }))
}
