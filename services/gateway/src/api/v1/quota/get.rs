//! `GET /v1/quota`: what the cloud projects of the tenant's accounts may still spend today.

use std::{collections::BTreeSet, sync::Arc};

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::Serialize;
use tintype_app::AppError;
use tintype_model::{
    forecast::Forecast,
    quota::{CloudProject, QuotaKind},
    storage::StorageSettings,
};
use tintype_ports::quota::QuotaStanding;

use crate::{Shared, caller::Tenant, problem::Problem};

/// All projects.
#[derive(Debug, Serialize)]
pub(crate) struct Projects {
    data: Vec<Project>,
}

#[derive(Debug, Serialize)]
struct Project {
    project: CloudProject,
    /// The end of the day: midnight in Los Angeles.
    resets_at: DateTime<Utc>,
    /// Library calls.
    requests: Units,
    /// Loads of base URLs.
    downloads: Units,
    /// When the tenant's runs on this project will be done, as far as they have been listed.
    forecast: Option<Forecast>,
}

#[derive(Debug, Serialize)]
struct Units {
    limit: u64,
    /// Spent, or set aside for calls that are about to be made; by all tenants that share the project.
    spent: u64,
    left: u64,
}

impl From<QuotaStanding> for Units {
    fn from(it: QuotaStanding) -> Self {
        Self {
            limit: it.limit,
            spent: it.leased,
            left: it.limit.saturating_sub(it.leased),
        }
    }
}

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Tenant(tenant): Tenant,
) -> Result<Json<Projects>, Problem> {
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
        let standing = async |kind| {
            let standing = ports.quota.standing(&project, kind).await;
            standing.map_err(AppError::from)
        };
        let requests = standing(QuotaKind::Request).await?;
        let downloads = standing(QuotaKind::Download).await?;
        let forecast = shared.app.foresee_project(tenant, &project).await?;
        data.push(Project {
            resets_at: requests.resets_at,
            requests: requests.into(),
            downloads: downloads.into(),
            forecast,
            project,
        });
    }
    Ok(Json(Projects { data }))
}
