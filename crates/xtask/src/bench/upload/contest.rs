//! Peers that upload the same files in turns.

use anyhow::Result;

use super::peers::{Field, Peer};
use crate::bench::calls::Calls;
use crate::bench::report::Comparison;
use crate::console;

/// What is uploaded, and by whom.
pub(super) struct Contest<'a> {
    /// Row of the goals.
    pub(super) row: u8,
    /// What is done, for the table.
    pub(super) title: String,
    pub(super) field: Field<'a>,
    pub(super) peers: &'a [Peer],
    /// Times that each peer runs.
    pub(super) pairs: u8,
}

/// What came of it.
pub(super) struct Held {
    pub(super) found: Comparison,
    calls: Vec<(Peer, Calls)>,
}

impl Contest<'_> {
    /// Lets every peer run in each round, in turns from the first and from the last, so that whoever gains or
    /// loses by what ran before does so equally often.
    ///
    /// # Errors
    /// When a run fails or does not upload everything.
    pub(super) async fn hold(self) -> Result<Held> {
        let mut held = Held {
            found: Comparison::new(self.row, self.title),
            calls: Vec::new(),
        };
        for round in 0..self.pairs {
            let mut order = self.peers.to_vec();
            if round % 2 == 1 {
                order.reverse();
            }
            for peer in order {
                let ran = peer.run(&self.field).await?;
                let (name, wall_s) = (peer.name(), ran.cost.wall_s);
                console::step(&format!(
                    "round {} of {}: {name}: {wall_s:.2} s",
                    round + 1,
                    self.pairs
                ));
                held.found.add(&name, ran.cost);
                held.calls.push((peer, ran.calls));
            }
        }
        Ok(held)
    }
}

impl Held {
    /// What one peer asked of Google, a figure for each of its runs.
    pub(super) fn figures(&self, of: Peer, pick: impl Fn(&Calls) -> f64) -> Vec<f64> {
        let its = self.calls.iter().filter(|(peer, _)| *peer == of);
        its.map(|(_, calls)| pick(calls)).collect()
    }
}
