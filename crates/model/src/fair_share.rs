//! Whose turn it is: weighted start-time fair queuing over tenants, with a little lead for whoever is nearly done.
//!
//! Every key has a virtual time, which grows by cost ÷ weight with all that it is served. The one that is furthest behind
//! goes first (Goyal, Vin, Cheng: "Start-time Fair Queuing", 1996); among those within `burst` of it, the one with the least
//! left to do, so that short runs end soon. Nobody gets further than `burst` and one charge ahead of the rest.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

/// Virtual time in 2⁻²⁰ units, so that division by weights loses nothing that adds up.
type Virtual = i128;
const UNIT_BITS: u32 = 20;
/// Keys that are idle and still ahead are remembered up to this many beyond the candidates.
const MAX_IDLE_KEYS: usize = 1_024;

/// Somebody who has work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate<K> {
    /// Who.
    pub key: K,
    /// Its share relative to the others'; 0 counts as 1.
    pub weight: u32,
    /// Cost units that it still has to do.
    pub backlog: u64,
}

/// Who was served how much. Costs are in any unit, for example items.
#[derive(Debug, Clone)]
pub struct FairShare<K> {
    credit: Virtual,
    burst: Virtual,
    /// The least virtual time among the candidates of the last pick. Never goes back.
    now: Virtual,
    served: BTreeMap<K, Virtual>,
}

impl<K: Ord + Copy> FairShare<K> {
    /// `credit`: units of weight 1 that a key may claim for a time in which it had nothing to do. `burst`: units of weight 1
    /// by which a key with less to do may go ahead of its turn.
    #[must_use]
    pub const fn new(credit: u64, burst: u64) -> Self {
        Self {
            credit: (credit as Virtual) << UNIT_BITS,
            burst: (burst as Virtual) << UNIT_BITS,
            now: 0,
            served: BTreeMap::new(),
        }
    }

    /// Records that `key` was served `cost` units.
    pub fn charge(&mut self, key: K, weight: u32, cost: u64) {
        let start = self.time_of(&key);
        let passed = (Virtual::from(cost) << UNIT_BITS) / Virtual::from(weight.max(1));
        self.served.insert(key, start + passed);
    }

    /// Who goes next; `None` when there is no candidate. Does not charge anything.
    pub fn pick(&mut self, candidates: impl Iterator<Item = Candidate<K>>) -> Option<K> {
        self.pick_where(candidates, |_| true)
    }

    /// The same among those who may go. Those who may not keep their place.
    pub fn pick_where(
        &mut self,
        candidates: impl Iterator<Item = Candidate<K>>,
        may_go: impl Fn(&K) -> bool,
    ) -> Option<K> {
        let timed: Vec<_> = candidates.map(|it| (self.time_of(&it.key), it)).collect();
        let least = timed.iter().map(|(time, _)| *time).min()?;
        let able = || timed.iter().filter(|(_, it)| may_go(&it.key));
        let next = able().map(|(time, _)| *time).min()?;
        let in_turn = able().filter(|(time, _)| *time <= next + self.burst);
        let (_, next) = in_turn.min_by_key(|(time, it)| (it.backlog, *time, it.key))?;
        let key = next.key;
        self.now = self.now.max(least);
        self.forget_idle(&timed);
        Some(key)
    }

    /// How many keys are remembered.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.served.len()
    }

    /// A key that was idle comes back at most `credit` behind the others.
    fn time_of(&self, key: &K) -> Virtual {
        let floor = self.now - self.credit;
        self.served.get(key).map_or(floor, |time| floor.max(*time))
    }

    /// Rarely does much: half of the room is made at once.
    fn forget_idle(&mut self, timed: &[(Virtual, Candidate<K>)]) {
        if self.served.len() <= timed.len() + MAX_IDLE_KEYS {
            return;
        }
        // At the floor a remembered key is treated like an unknown one.
        let floor = self.now - self.credit;
        self.served.retain(|_, time| *time > floor);
        let excess = self
            .served
            .len()
            .saturating_sub(timed.len() + MAX_IDLE_KEYS / 2);
        if excess == 0 {
            return;
        }
        // Those that are least ahead: forgetting them gives the least away.
        let busy: BTreeSet<K> = timed.iter().map(|(_, it)| it.key).collect();
        let idle = self.served.iter().filter(|(key, _)| !busy.contains(key));
        let mut idle: Vec<(Virtual, K)> = idle.map(|(key, time)| (*time, *key)).collect();
        idle.sort_unstable();
        for (_, key) in idle.into_iter().take(excess) {
            self.served.remove(&key);
        }
    }
}
