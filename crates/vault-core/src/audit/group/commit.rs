//! The commit of a group: each tenant's row is read once, its chain grows in memory, and all entries go in one statement.

use std::collections::{BTreeSet, HashMap};

use tintype_model::{StorageId, TenantId};
use tintype_ports::VaultError;
use uuid::Uuid;

use super::{Group, GroupError, Outcome, Waiting};
use crate::{
    audit::chain::Chain,
    db::{Current, Sql, TenantRow, Tx},
    error::audit,
};

/// How often keys may change between the look at them and the lock.
const ROUNDS: usize = 4;

type Outcomes = Vec<Result<Outcome, VaultError>>;

/// Tenants whose keys could not be opened, and why.
type Closed = HashMap<Uuid, VaultError>;

/// One tenant's part of the commit.
struct Growing {
    row: TenantRow,
    chain: Chain,
    grew: bool,
}

/// One attempt: done, or keys of these rows are needed first.
enum Attempt {
    Done(Outcomes),
    Closed(Vec<TenantRow>),
}

impl Group {
    /// An outcome for each entry. An error lost the whole transaction; trouble of one tenant is its own.
    pub(super) async fn commit(&self, batch: &[Waiting]) -> Sql<Outcomes> {
        let tenants: BTreeSet<Uuid> = batch
            .iter()
            .map(|waiting| waiting.entry.tenant.as_uuid())
            .collect();
        let tenants: Vec<Uuid> = tenants.into_iter().collect();
        let mut closed = Closed::new();
        self.prepare(&tenants, &mut closed).await?;
        for _ in 0..ROUNDS {
            match self.attempt(batch, &tenants, &closed).await? {
                Attempt::Done(outcomes) => return Ok(outcomes),
                Attempt::Closed(rows) => self.open(&rows, &mut closed).await,
            }
        }
        let failed = batch.iter().map(|_| Err(audit(GroupError::KeysChange)));
        Ok(failed.collect())
    }

    /// Has the keys ready before anything is locked: their keeper may be far away.
    async fn prepare(&self, tenants: &[Uuid], closed: &mut Closed) -> Sql<()> {
        let unknown: Vec<Uuid> = tenants
            .iter()
            .copied()
            .filter(|tenant| !self.keys.has(*tenant))
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let mut tx = self.db.read().await?;
        let mut rows = Vec::with_capacity(unknown.len());
        for tenant in unknown {
            rows.extend(tx.tenant(TenantId::from_uuid(tenant)).await?);
        }
        tx.rollback().await?;
        self.open(&rows, closed).await;
        Ok(())
    }

    async fn open(&self, rows: &[TenantRow], closed: &mut Closed) {
        for row in rows {
            if let Err(error) = self.keys.open(&*self.db, row).await {
                closed.insert(row.tenant_id, error);
            }
        }
    }

    async fn attempt(&self, batch: &[Waiting], tenants: &[Uuid], closed: &Closed) -> Sql<Attempt> {
        let mut tx = self.db.write().await?;
        let mut growing: HashMap<Uuid, Result<Growing, VaultError>> = HashMap::new();
        let mut unopened = Vec::new();
        for row in tx.lock_tenants(tenants).await? {
            let tenant = row.tenant_id;
            if let Some(error) = closed.get(&tenant) {
                growing.insert(tenant, Err(again(error)));
            } else if let Some(keys) = self.keys.kept(&row) {
                let chain = Chain::of(&row, keys.audit());
                let grown = chain.map(|chain| Growing {
                    row,
                    chain,
                    grew: false,
                });
                growing.insert(tenant, grown);
            } else {
                unopened.push(row);
            }
        }
        if !unopened.is_empty() {
            tx.rollback().await?;
            return Ok(Attempt::Closed(unopened));
        }
        let currents = currents(&mut tx, batch).await?;
        let mut outcomes = Vec::with_capacity(batch.len());
        let mut entries = Vec::with_capacity(batch.len());
        for waiting in batch {
            let tenant = match growing.get_mut(&waiting.entry.tenant.as_uuid()) {
                None => {
                    outcomes.push(Err(VaultError::NotFound));
                    continue;
                }
                Some(Err(error)) => {
                    outcomes.push(Err(again(error)));
                    continue;
                }
                Some(Ok(tenant)) => tenant,
            };
            if is_stale(waiting, &currents) {
                outcomes.push(Ok(Outcome::Stale));
                continue;
            }
            entries.push(tenant.chain.link(&waiting.entry));
            tenant.grew = true;
            outcomes.push(Ok(Outcome::Recorded));
        }
        if entries.is_empty() {
            tx.rollback().await?;
            return Ok(Attempt::Done(outcomes));
        }
        let mut heads = Vec::with_capacity(growing.len());
        let grown = growing.into_values().flatten();
        for Growing { mut row, chain, .. } in grown.filter(|tenant| tenant.grew) {
            chain.end(&mut row);
            heads.push(row);
        }
        tx.insert_entries(&entries).await?;
        tx.set_heads(&heads).await?;
        tx.commit().await?;
        Ok(Attempt::Done(outcomes))
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

fn owner(waiting: &Waiting) -> Option<(Uuid, Uuid)> {
    let storage = waiting.entry.storage.map(StorageId::as_uuid)?;
    Some((waiting.entry.tenant.as_uuid(), storage))
}

/// The same trouble for one more entry of the tenant.
fn again(error: &VaultError) -> VaultError {
    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Shared(String);

    match error {
        VaultError::Sealed => VaultError::Sealed,
        VaultError::NotFound => VaultError::NotFound,
        VaultError::Locked(why) => VaultError::Locked(why.clone()),
        VaultError::Audit(source) => audit(Shared(source.to_string())),
        other => audit(Shared(other.to_string())),
    }
}
