//! Where the bytes of a shard's items go: a place for each in the plan's archive, and its committer, which makes them durable and
//! records them.

use std::sync::Arc;

use tintype_model::{
    Fidelity,
    item::ItemFault,
    plan::{Layout, Plan},
    shard::Lease,
};
use tintype_ports::{
    Archive,
    archive::{Placement, Staged},
    store::{PathClaim, PendingItem},
};
use tokio::sync::oneshot;
use tracing::Span;

use super::{
    account::Account,
    committer::{Committer, Finished, Recorder},
    mirror,
    trouble::ItemTrouble,
    waits::Waits,
};
use crate::{App, AppResult};

/// The way of one shard's items into the archive.
#[derive(Clone)]
pub(super) struct Intake {
    committer: Arc<Committer>,
    recorder: Arc<Recorder>,
}

/// Tells when an item is recorded, or why it could not be.
pub(super) type Recorded = oneshot::Receiver<AppResult<()>>;

impl App {
    pub(super) async fn intake(&self, lease: &Arc<Lease>, account: &Account) -> AppResult<Intake> {
        let plan = &account.plan;
        let committer = match self.committer_at_work(plan.id) {
            Some(committer) => committer,
            None => {
                let archive = self.open_archive(plan, Some(lease.shard.run)).await?;
                self.committer(plan.id, archive)
            }
        };
        committer.archive().open().await?;
        let recorder = Arc::new(Recorder {
            lease: Arc::clone(lease),
            gate: Arc::clone(&account.gate),
        });
        Ok(Intake {
            committer,
            recorder,
        })
    }

    /// Where the items are to lie; of a mirror, where they `claim` to.
    pub(super) async fn placements(
        &self,
        plan: &Plan,
        items: &[PendingItem],
        claim: fn(&PendingItem) -> PathClaim,
    ) -> AppResult<Vec<Placement>> {
        if plan.options.layout == Layout::Archive {
            return Ok(vec![Placement::ByContent; items.len()]);
        }
        let claims: Vec<_> = items.iter().map(claim).collect();
        let paths = self
            .ports
            .store
            .claim_paths(plan.tenant, plan.id, &claims)
            .await?;
        Ok(items
            .iter()
            .zip(paths)
            .map(|(item, path)| mirror::placement(item, path))
            .collect())
    }
}

impl Intake {
    pub(super) fn archive(&self) -> Arc<dyn Archive> {
        self.committer.archive()
    }

    pub(super) fn lease(&self) -> &Lease {
        &self.recorder.lease
    }

    /// Hands an item over, and returns when the committer has taken it.
    pub(super) async fn submit(
        &self,
        seq: u64,
        result: Result<(Staged, Fidelity), ItemFault>,
        span: Span,
    ) -> Recorded {
        let (reply, recorded) = oneshot::channel();
        let waits = Waits::new(span);
        self.committer
            .submit(Finished {
                seq,
                recorder: Arc::clone(&self.recorder),
                result,
                reply,
                waits,
            })
            .await;
        recorded
    }
}

/// Waits until the item is recorded.
pub(super) async fn conclude(recorded: Recorded) -> Result<(), ItemTrouble> {
    match recorded.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(ItemTrouble::Shard(error)),
        // The committer ended in a defect; the lease's end will bring the item back.
        Err(_) => Err(ItemTrouble::lease_lost()),
    }
}
