//! Fair dispatch: moves shards from the backlog to the outbox, and from there to the queue.

use std::collections::BTreeSet;

use tintype_model::{
    TenantId,
    fair_share::{Candidate, FairShare},
    shard::ShardKind,
};
use tintype_ports::{
    queue::JobMessage,
    store::{Backlog, Load},
};
use tracing::Span;

use super::take_back::Left;
use crate::{App, AppResult, steps::Step};

/// Outbox rows that go to the queue in one batch.
const RELAY_BATCH: u32 = 256;

impl App {
    /// Dispatches until the workers have as much as they can soon take. Returns how many shards were dispatched.
    pub(crate) async fn dispatch(
        &self,
        share: &mut FairShare<TenantId>,
        without: &mut Left,
    ) -> AppResult<u64> {
        let backlog = self.ports.store.backlog().await?;
        super::gauges::backlog(&backlog, self.ports.clock.now());
        if backlog.is_empty() {
            *without = Left::default();
            return Ok(0);
        }
        let load = self.ports.store.load().await?;
        // The queue stays shallow on purpose: what is in it can no longer be reordered in favour of a quieter tenant.
        let room = (load.slots + 1).saturating_sub(load.in_flight);
        if load.slots == 0 {
            return Ok(0);
        }
        let mut left: Vec<_> = backlog
            .into_iter()
            .filter(|it| it.in_flight < self.most_of(it, load))
            .collect();
        let mut sent = 0;
        while sent < room && !left.is_empty() {
            let candidates = left.iter().map(|it| Candidate {
                key: it.tenant,
                weight: it.weight,
                backlog: it.items,
            });
            let in_turn: BTreeSet<TenantId> = left
                .iter()
                .filter(|it| !without.has_its_share(it))
                .map(|it| it.tenant)
                .collect();
            let may_go = |tenant: &TenantId| in_turn.is_empty() || in_turn.contains(tenant);
            let Some(tenant) = share.pick_where(candidates, may_go) else {
                break;
            };
            let Some(place) = left.iter().position(|it| it.tenant == tenant) else {
                break;
            };
            let Some(shard) = self.ports.store.ready(tenant, 1).await?.into_iter().next() else {
                left.swap_remove(place);
                continue;
            };
            let dispatched = self
                .ports
                .store
                .dispatch(
                    std::slice::from_ref(&shard),
                    self.settings.dispatch_patience,
                )
                .await?;
            let entry = &mut left[place];
            if dispatched == 1 {
                sent += 1;
                let cost = if matches!(shard.kind, ShardKind::Transfer | ShardKind::Originals) {
                    // Those that are left of it.
                    u64::from(shard.items)
                } else {
                    1
                };
                share.charge(tenant, entry.weight, cost);
                entry.in_flight += 1;
                self.ports.steps.reached(Step::Dispatched);
            }
            entry.items = entry.items.saturating_sub(u64::from(shard.items));
            if entry.items == 0 || entry.in_flight >= self.most_of(entry, load) {
                left.swap_remove(place);
            }
        }
        metrics::counter!("tintype_dispatched_total").increment(sent);
        self.take_back(without, &left, load).await?;
        Ok(sent)
    }

    /// Shards of the tenant that may be in flight: what is idle is lent to it, but for the spare slots and beyond its cap.
    fn most_of(&self, tenant: &Backlog, load: Load) -> u64 {
        let lent = load
            .slots
            .saturating_sub(self.settings.spare_slots as u64)
            .max(1);
        tenant.max_shards.map_or(lent, |cap| lent.min(cap.into()))
    }

    /// Publishes what stands in the outbox; a row goes only after the queue has confirmed its message.
    pub(crate) async fn relay(&self) -> AppResult<u64> {
        let mut relayed = 0;
        loop {
            let rows = self.ports.store.outbox(RELAY_BATCH).await?;
            if rows.is_empty() {
                return Ok(relayed);
            }
            let (ids, mut messages): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
            // They end when the broker has confirmed.
            let _spans: Vec<Span> = messages
                .iter_mut()
                .map(|it| self.sent_in_trace(it))
                .collect();
            self.ports.queue.publish(&messages).await?;
            self.ports.store.clear_outbox(&ids).await?;
            relayed += ids.len() as u64;
            if ids.len() < RELAY_BATCH as usize {
                return Ok(relayed);
            }
        }
    }

    /// The message's own place in the trace of its run; whoever takes it goes on from there.
    fn sent_in_trace(&self, message: &mut JobMessage) -> Span {
        let Some(run) = message.trace.clone() else {
            return Span::none();
        };
        let span = tracing::info_span!(
            "shard.dispatch",
            otel.kind = "producer",
            tenant.id = %message.tenant,
            shard.id = %message.shard,
        );
        let traces = &self.ports.traces;
        traces.adopt(&span, &run);
        message.trace = span.in_scope(|| traces.current()).or(Some(run));
        span
    }
}
