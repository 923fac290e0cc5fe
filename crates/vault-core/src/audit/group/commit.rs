//! The commit of a group that locks its tenants first: each tenant's row is read once, its chain grows in memory, and all entries go in one statement.

use std::collections::{BTreeSet, HashMap};

use tintype_model::StorageId;
use tintype_ports::VaultError;
use uuid::Uuid;

use super::{Batch, Group, Outcome, Reply, Waiting};
use crate::{
    audit::chain::Chain,
    db::{Current, Sql, TenantRow, Tx},
    error::audit,
};

type Replies = Vec<Result<Reply, VaultError>>;

/// One tenant's part of the commit.
struct Growing {
    row: TenantRow,
    chain: Chain,
    grew: bool,
}

/// What a tenant's entries meet.
enum Met {
    Open(Box<Growing>),
    Closed(TenantRow),
    Broken(VaultError),
}

impl Group {
    /// A reply for each entry. An error lost the whole transaction; trouble of one tenant is its own.
    pub(super) async fn commit(&self, batch: &Batch) -> Sql<Replies> {
        let Batch {
            entries: batch,
            tenants,
        } = batch;
        if tenants.is_empty() {
            return Ok(Vec::new());
        }
        let tenants: Vec<Uuid> = tenants.iter().copied().collect();
        let mut tx = self.db.write().await?;
        let rows = tx.lock_tenants(&tenants).await?;
        let mut met: HashMap<Uuid, Met> = rows
            .into_iter()
            .map(|row| (row.tenant_id, self.meet(row)))
            .collect();
        let currents = currents(&mut tx, batch).await?;
        let mut replies = Vec::with_capacity(batch.len());
        let mut entries = Vec::with_capacity(batch.len());
        for waiting in batch {
            replies.push(match met.get_mut(&waiting.tenant()) {
                None => Err(VaultError::NotFound),
                Some(Met::Broken(error)) => Err(again(error)),
                Some(Met::Closed(row)) => Ok(Reply::Closed(Box::new(row.clone()))),
                Some(Met::Open(_)) if is_stale(waiting, &currents) => {
                    Ok(Reply::Done(Outcome::Stale))
                }
                Some(Met::Open(tenant)) => {
                    entries.push(tenant.chain.link(&waiting.entry));
                    tenant.grew = true;
                    Ok(Reply::Done(Outcome::Recorded))
                }
            });
        }
        if entries.is_empty() {
            tx.rollback().await?;
            return Ok(replies);
        }
        let mut ends = Vec::with_capacity(met.len());
        for tenant in met.into_values() {
            if let Met::Open(tenant) = tenant
                && tenant.grew
            {
                let Growing { mut row, chain, .. } = *tenant;
                chain.end(&mut row);
                ends.push(row);
            }
        }
        tx.append(&entries, &ends).await?;
        tx.commit().await?;
        if self.db.server().is_some() {
            self.ends.learn(ends);
        }
        Ok(replies)
    }

    /// Only with keys that are at hand: the others' commit must not wait for a keeper that may be far away.
    fn meet(&self, row: TenantRow) -> Met {
        let Some(keys) = self.keys.kept(&row) else {
            return Met::Closed(row);
        };
        match Chain::of(&row, keys.audit()) {
            Ok(chain) => Met::Open(Box::new(Growing {
                row,
                chain,
                grew: false,
            })),
            Err(error) => Met::Broken(error),
        }
    }
}

async fn currents(tx: &mut Tx, batch: &[Waiting]) -> Sql<HashMap<(Uuid, Uuid), Current>> {
    let owners: BTreeSet<(Uuid, Uuid)> = batch
        .iter()
        .filter(|waiting| waiting.expected.is_some())
        .filter_map(owner)
        .collect();
    let owners: Vec<(Uuid, Uuid)> = owners.into_iter().collect();
    let found = tx.currents(&owners).await?;
    let pairs = found
        .into_iter()
        .map(|current| ((current.tenant_id, current.storage_id), current));
    Ok(pairs.collect())
}

fn is_stale(waiting: &Waiting, currents: &HashMap<(Uuid, Uuid), Current>) -> bool {
    let Some(expected) = waiting.expected else {
        return false;
    };
    let current = owner(waiting).and_then(|owner| currents.get(&owner));
    current.is_none_or(|current| {
        current.generation != expected.generation
            || (expected.access_number.is_some() && current.access_number != expected.access_number)
    })
}

/// The tenant and the storage that an entry is about.
pub(super) fn owner(waiting: &Waiting) -> Option<(Uuid, Uuid)> {
    let storage = waiting.entry.storage.map(StorageId::as_uuid)?;
    Some((waiting.tenant(), storage))
}

/// The same trouble for one more entry of the tenant.
fn again(error: &VaultError) -> VaultError {
    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Shared(String);

    match error {
        VaultError::Audit(source) => audit(Shared(source.to_string())),
        other => audit(Shared(other.to_string())),
    }
}
