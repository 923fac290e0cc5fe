//! Rows of what is done across tenants.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tintype_model::{TenantId, WorkerId};
use tintype_ports::{
    StoreError,
    store::{Backlog, OpenLease, SetAside, ShardStanding},
};
use uuid::Uuid;

use super::ShardRow;
use crate::codec::{count, from_name, small};

#[derive(FromRow)]
pub(crate) struct BacklogRow {
    tenant_id: Uuid,
    weight: i64,
    items: i64,
    in_flight: i64,
    max_shards: Option<i64>,
    oldest: DateTime<Utc>,
}

impl TryFrom<BacklogRow> for Backlog {
    type Error = StoreError;

    fn try_from(row: BacklogRow) -> Result<Self, StoreError> {
        Ok(Self {
            tenant: TenantId::from_uuid(row.tenant_id),
            weight: small(row.weight)?,
            items: count(row.items)?,
            in_flight: count(row.in_flight)?,
            max_shards: row.max_shards.map(small).transpose()?,
            oldest: row.oldest,
        })
    }
}

#[derive(FromRow)]
pub(crate) struct SetAsideRow {
    #[sqlx(flatten)]
    shard: ShardRow,
    reason: Option<String>,
}

impl TryFrom<SetAsideRow> for SetAside {
    type Error = StoreError;

    fn try_from(row: SetAsideRow) -> Result<Self, StoreError> {
        Ok(Self {
            shard: row.shard.try_into()?,
            reason: row.reason.unwrap_or_default(),
        })
    }
}

#[derive(FromRow)]
pub(crate) struct ShardStandingRow {
    #[sqlx(flatten)]
    shard: ShardRow,
    state: String,
    failures: i64,
    reason: Option<String>,
}

impl TryFrom<ShardStandingRow> for ShardStanding {
    type Error = StoreError;

    fn try_from(row: ShardStandingRow) -> Result<Self, StoreError> {
        Ok(Self {
            shard: row.shard.try_into()?,
            state: from_name(&row.state)?,
            failures: small(row.failures)?,
            reason: row.reason,
        })
    }
}

#[derive(FromRow)]
pub(crate) struct OpenLeaseRow {
    #[sqlx(flatten)]
    shard: ShardRow,
    worker_id: Uuid,
    lease_epoch: i64,
    leased_at: DateTime<Utc>,
    overdue_at: DateTime<Utc>,
}

impl TryFrom<OpenLeaseRow> for OpenLease {
    type Error = StoreError;

    fn try_from(row: OpenLeaseRow) -> Result<Self, StoreError> {
        Ok(Self {
            shard: row.shard.try_into()?,
            worker: WorkerId::from_uuid(row.worker_id),
            epoch: row.lease_epoch,
            leased_at: row.leased_at,
            expires_at: row.overdue_at,
        })
    }
}
