//! Mirror paths: two items never share one, whatever the file system folds together.

use std::collections::HashMap;

use tintype_model::{PlanId, TenantId};
use tintype_ports::{StoreError, store::PathClaim};

use super::{Tx, bulk::PathRow, dialect};
use crate::{
    codec::{int, path_key},
    failure::Outcome,
};

/// A path and the item that has it.
struct Owned {
    path: String,
    seq: i64,
}

pub(super) async fn claim(
    tx: &mut Tx,
    tenant: TenantId,
    plan: PlanId,
    claims: &[PathClaim],
) -> Outcome<Vec<String>> {
    // Claims of one plan go one after another; without that, two could take one free path.
    let plan_is_there: Option<i64> = sqlx::query_scalar(dialect::HOLD_PLAN)
        .bind(tenant.as_uuid())
        .bind(plan.as_uuid())
        .fetch_optional(tx.conn())
        .await?;
    if plan_is_there.is_none() {
        return Err(StoreError::NotFound("the plan".into()).into());
    }
    let mut taken = taken_of(tx, tenant, plan, claims).await?;
    let mut paths = Vec::with_capacity(claims.len());
    let mut fresh = Vec::new();
    for claim in claims {
        let seq = int(claim.seq)?;
        let wishes = [&claim.wanted, &claim.otherwise];
        let own = wishes
            .iter()
            .find_map(|path| taken.get(&path_key(path)).filter(|owned| owned.seq == seq));
        if let Some(own) = own {
            paths.push(own.path.clone());
            continue;
        }
        let free = wishes
            .into_iter()
            .find(|path| !taken.contains_key(&path_key(path)));
        let path = free.ok_or_else(|| {
            StoreError::Conflict(format!(
                "both paths that item {seq} would take are other items'"
            ))
        })?;
        let key = path_key(path);
        taken.insert(
            key.clone(),
            Owned {
                path: path.clone(),
                seq,
            },
        );
        fresh.push(PathRow {
            key,
            path: path.clone(),
            seq,
        });
        paths.push(path.clone());
    }
    if !fresh.is_empty() {
        dialect::insert_paths(tx.conn(), tenant, plan, fresh).await?;
    }
    Ok(paths)
}

async fn taken_of(
    tx: &mut Tx,
    tenant: TenantId,
    plan: PlanId,
    claims: &[PathClaim],
) -> Outcome<HashMap<String, Owned>> {
    let keys: Vec<String> = claims
        .iter()
        .flat_map(|claim| [path_key(&claim.wanted), path_key(&claim.otherwise)])
        .collect();
    let rows: Vec<(String, String, i64)> = sqlx::query_as(dialect::TAKEN_PATHS)
        .bind(tenant.as_uuid())
        .bind(plan.as_uuid())
        .bind(dialect::texts(keys.iter().map(String::as_str))?)
        .fetch_all(tx.conn())
        .await?;
    Ok(rows
        .into_iter()
        .map(|(key, path, seq)| (key, Owned { path, seq }))
        .collect())
}
