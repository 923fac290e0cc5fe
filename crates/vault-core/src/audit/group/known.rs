//! The short way of entries to the disk. This process remembers how the logs it wrote last end. As long as nobody else has written
//! to one, it goes on with a single message, which appends only if the log still ends so and the credentials are as expected;
//! the database says how it ends where it does not.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, PoisonError},
};

use uuid::Uuid;

use super::{Batch, Group, Outcome, Reply, Waiting, commit::owner};
use crate::{
    audit::chain::Chain,
    db::{Current, Growth, LogRow, Sql, TenantRow},
};

/// The most logs whose ends are remembered. Of one more all are forgotten, which costs each a longer way once.
const MAX_KNOWN: usize = 8192;

/// How often the end that the database says is tried: another replica writes to the same log.
const TRIES: usize = 2;

/// How the logs end as far as this process knows.
#[derive(Default)]
pub(super) struct KnownEnds(Mutex<HashMap<Uuid, TenantRow>>);

impl KnownEnds {
    pub(super) fn of(&self, tenant: Uuid) -> Option<TenantRow> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&tenant).cloned()
    }

    pub(super) fn learn(&self, rows: impl IntoIterator<Item = TenantRow>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for row in rows {
            if known.len() >= MAX_KNOWN && !known.contains_key(&row.tenant_id) {
                known.clear();
            }
            known.insert(row.tenant_id, row);
        }
    }
}

impl Group {
    /// Appends and answers what can go the short way, and leaves the rest in the batch.
    pub(super) async fn append_to_known(&self, batch: &mut Batch) -> Sql<()> {
        let Some(server) = self.db.server() else {
            return Ok(());
        };
        let mut hopeless = BTreeSet::new();
        for _ in 0..TRIES {
            let growths = self.growths(batch, &hopeless);
            if growths.is_empty() {
                return Ok(());
            }
            let logs = server.append_to(&growths).await?;
            let known = growths.into_iter().map(|it| (it.to.tenant_id, it));
            let mut known: HashMap<Uuid, Growth> = known.collect();
            let mut grown = BTreeSet::new();
            for LogRow { row, grew } in logs {
                let tenant = row.tenant_id;
                let Some(growth) = known.remove(&tenant) else {
                    continue;
                };
                if grew {
                    grown.insert(tenant);
                    self.ends.learn([growth.to]);
                } else if row == growth.from {
                    // It ends as thought, so something else is not as expected.
                    hopeless.insert(tenant);
                } else {
                    self.ends.learn([row]);
                }
            }
            answer_recorded(batch, &grown);
        }
        Ok(())
    }

    /// What the batch adds to logs whose ends are known, but for the hopeless.
    fn growths(&self, batch: &Batch, hopeless: &BTreeSet<Uuid>) -> Vec<Growth> {
        let tenants = batch.tenants.difference(hopeless);
        tenants
            .filter_map(|tenant| {
                let entries = batch.entries.iter();
                let of_tenant = entries.filter(|waiting| waiting.tenant() == *tenant);
                self.growth(self.ends.of(*tenant)?, of_tenant)
            })
            .collect()
    }

    /// `None`: its keys are not at hand, the end is not the vault's, or an entry is of no storage that could be looked at. The
    /// longer way says so.
    fn growth<'a>(
        &self,
        from: TenantRow,
        entries: impl Iterator<Item = &'a Waiting>,
    ) -> Option<Growth> {
        let keys = self.keys.kept(&from)?;
        let mut chain = Chain::of(&from, keys.audit()).ok()?;
        let (mut rows, mut expected) = (Vec::new(), Vec::new());
        for waiting in entries {
            if let Some(wanted) = waiting.expected {
                let (tenant_id, storage_id) = owner(waiting)?;
                expected.push(Current {
                    tenant_id,
                    storage_id,
                    generation: wanted.generation,
                    access_number: wanted.access_number,
                });
            }
            rows.push(chain.link(&waiting.entry));
        }
        let mut to = from.clone();
        chain.end(&mut to);
        Some(Growth {
            from,
            to,
            entries: rows,
            expected,
        })
    }
}

/// Answers the entries of these tenants, which are in their logs.
fn answer_recorded(batch: &mut Batch, tenants: &BTreeSet<Uuid>) {
    let is_recorded = |waiting: &mut Waiting| tenants.contains(&waiting.tenant());
    for waiting in batch.entries.extract_if(.., is_recorded) {
        waiting.answer(Ok(Reply::Done(Outcome::Recorded)));
    }
    batch.tenants.retain(|tenant| !tenants.contains(tenant));
}
