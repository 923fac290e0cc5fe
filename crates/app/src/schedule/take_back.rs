//! What is idle is lent to whoever has work; it is taken back when others come who are left without their share of the slots.
//!
//! A shard that is asked back ends what it has under way and returns to the backlog with the rest: nothing is done twice.

use std::{collections::BTreeMap, time::Instant};

use tintype_model::TenantId;
use tintype_ports::store::{Backlog, Holder, Load};

use crate::{App, AppResult};

/// Who is left without its share.
#[derive(Debug, Default)]
pub(crate) struct Left {
    since: BTreeMap<TenantId, Instant>,
    looked_at: Option<Instant>,
    /// While somebody has been left for too long.
    shares: Option<Shares>,
}

impl Left {
    /// Whether the tenant has all that is its share, while somebody else is left without: then it is not its turn. What was
    /// taken back from it would go to it again, else.
    pub(super) fn has_its_share(&self, tenant: &Backlog) -> bool {
        let shares = self.shares.as_ref();
        shares.is_some_and(|shares| tenant.in_flight >= shares.most(tenant.weight))
    }
}

/// How many slots are somebody's share, by its weight among all who want some.
#[derive(Debug, Clone, Copy)]
struct Shares {
    slots: u64,
    weights: u64,
}

impl Shares {
    fn among(slots: u64, waiting: &[Backlog], holders: &[Holder]) -> Self {
        let mut weights: BTreeMap<TenantId, u32> =
            holders.iter().map(|it| (it.tenant, it.weight)).collect();
        weights.extend(waiting.iter().map(|it| (it.tenant, it.weight)));
        let weights = weights.values().map(|it| u64::from((*it).max(1))).sum();
        Self { slots, weights }
    }

    /// Rounded down: nothing where there are more tenants than slots. They take turns then, by their virtual times.
    fn least(&self, weight: u32) -> u64 {
        self.slots * u64::from(weight.max(1)) / self.weights.max(1)
    }

    /// Rounded up.
    fn most(&self, weight: u32) -> u64 {
        let share = self.slots * u64::from(weight.max(1));
        share.div_ceil(self.weights.max(1)).max(1)
    }
}

/// From whom how many shards are asked back, so that `wanted` slots become free.
fn lenders(holders: &[Holder], shares: &Shares, wanted: u64) -> Vec<(Holder, u64)> {
    let mut beyond: Vec<(Holder, u64)> = holders
        .iter()
        .map(|it| (*it, it.transfers.saturating_sub(shares.most(it.weight))))
        .collect();
    let mut asked = vec![0; beyond.len()];
    for _ in 0..wanted {
        // One after the other from whoever has most.
        let most = (0..beyond.len()).max_by_key(|place| beyond[*place].1);
        let Some(place) = most.filter(|place| beyond[*place].1 > 0) else {
            break;
        };
        beyond[place].1 -= 1;
        asked[place] += 1;
    }
    let holders = beyond.into_iter().map(|(holder, _)| holder);
    holders.zip(asked).filter(|(_, asked)| *asked > 0).collect()
}

impl App {
    /// Asks lent slots back for the tenants of `waiting`, which are those for whom there was no room. Returns for how many.
    pub(super) async fn take_back(
        &self,
        left: &mut Left,
        waiting: &[Backlog],
        load: Load,
    ) -> AppResult<u64> {
        if waiting.is_empty() {
            *left = Left::default();
            return Ok(0);
        }
        // The bell may ring more often than anything here changes.
        let pause = self.settings.tick / 2;
        if left.looked_at.is_some_and(|at| at.elapsed() < pause) {
            return Ok(0);
        }
        left.looked_at = Some(Instant::now());
        let holders = self.ports.store.holders().await?;
        let shares = Shares::among(load.slots, waiting, &holders);
        let is_short = |it: &&Backlog| {
            let cap = it.max_shards.map_or(u64::MAX, u64::from);
            it.in_flight < shares.least(it.weight).min(cap)
        };
        let short: Vec<TenantId> = waiting
            .iter()
            .filter(is_short)
            .map(|it| it.tenant)
            .collect();
        left.since.retain(|tenant, _| short.contains(tenant));
        let mut wanted = 0;
        for tenant in short {
            let since = left.since.entry(tenant).or_insert_with(Instant::now);
            wanted += u64::from(since.elapsed() >= self.settings.lent_for);
        }
        left.shares = (wanted > 0).then_some(shares);
        let coming: u64 = holders.iter().map(|it| it.recalled).sum();
        let mut asked_back = 0;
        for (holder, most) in lenders(&holders, &shares, wanted.saturating_sub(coming)) {
            let items = self.ports.store.recall(holder.tenant, most).await?;
            asked_back += items.len() as u64;
        }
        if asked_back > 0 {
            tracing::debug!(shards = asked_back, "slots that were lent are taken back");
        }
        metrics::counter!("tintype_shards_recalled_total").increment(asked_back);
        Ok(asked_back)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(tenant: u8, transfers: u64) -> Holder {
        Holder {
            tenant: TenantId::from_uuid(uuid::Uuid::from_bytes([tenant; 16])),
            weight: 1,
            transfers,
            recalled: 0,
        }
    }

    #[test]
    fn those_who_have_most_beyond_their_share_give_back_first() {
        let holders = [holder(1, 9), holder(2, 6), holder(3, 1)];
        let shares = Shares {
            slots: 16,
            weights: 4,
        };
        let asked = |wanted| -> Vec<u64> {
            let lenders = lenders(&holders, &shares, wanted);
            lenders.into_iter().map(|(_, asked)| asked).collect()
        };
        assert_eq!(asked(3), [3]);
        assert_eq!(asked(5), [4, 1]);
        // Nobody is left with less than its share.
        assert_eq!(asked(100), [5, 2]);
    }

    #[test]
    fn with_fewer_slots_than_tenants_each_may_keep_one() {
        let holders = [holder(1, 3), holder(2, 1)];
        let shares = Shares {
            slots: 4,
            weights: 20,
        };
        let lenders = lenders(&holders, &shares, 9);
        assert_eq!(
            lenders.iter().map(|(_, asked)| *asked).collect::<Vec<_>>(),
            [2]
        );
    }
}
