//! `POST /v1/plans`: makes a plan, after what it reads from or writes to was looked at once.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use tintype_app::setup::NewPlan;
use tintype_model::{
    ArchiveId, PlanId, SnapshotId, StorageId,
    plan::{Layout, PlanOptions, UploadFrom, UploadOptions},
    schedule::Schedule,
};

use super::View;
use crate::{
    Shared,
    body::Body,
    caller::Tenant,
    etag::{self, Tag},
    problem::Problem,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum From {
    #[default]
    Files,
    Snapshot,
}

/// The fields of both kinds, so that whatever is wrong with one can be pointed at.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Upload {
    #[serde(default)]
    from: From,
    /// The backup whose snapshot is sent.
    plan: Option<PlanId>,
    /// Which one; left out: the newest when a run begins.
    snapshot: Option<SnapshotId>,
    /// Whether albums are made; left out: yes.
    albums: Option<bool>,
}

impl Upload {
    fn options(self) -> Result<UploadOptions, Problem> {
        let from = match (self.from, self.plan) {
            (From::Files, None) if self.snapshot.is_none() => UploadFrom::Files,
            (From::Files, _) => {
                let what = "say \"from\": \"snapshot\" to send one";
                return Err(Problem::field("upload.from", what));
            }
            (From::Snapshot, Some(plan)) => UploadFrom::Snapshot {
                plan,
                snapshot: self.snapshot,
            },
            (From::Snapshot, None) => {
                let what = "is missing: the id of the backup whose snapshot is sent";
                return Err(Problem::field("upload.plan", what));
            }
        };
        Ok(UploadOptions {
            from,
            albums: self.albums.unwrap_or(true),
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    name: String,
    source: StorageId,
    destination: StorageId,
    #[serde(default)]
    layout: Layout,
    #[serde(default)]
    recipients: Vec<String>,
    /// How it uploads; only where the destination is an account.
    upload: Option<Upload>,
    schedule: Option<Schedule>,
    /// An archive that is there already, to go on with it.
    archive: Option<ArchiveId>,
}

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Tenant(tenant): Tenant,
    Body(input): Body<Input>,
) -> Result<(StatusCode, Tag, Json<View>), Problem> {
    let new = NewPlan {
        name: input.name,
        source: input.source,
        destination: input.destination,
        options: PlanOptions {
            layout: input.layout,
            recipients: input.recipients,
            upload: input.upload.map(Upload::options).transpose()?,
        },
        schedule: input.schedule,
        archive: input.archive,
    };
    let plan = shared.app.create_plan(tenant, new).await?;
    let now = shared.app.ports().clock.now();
    let tag = etag::of(&plan);
    Ok((StatusCode::CREATED, tag, Json(View::of(plan, now))))
}
