//! Peers that copy the same library in turns.

use anyhow::Result;

use crate::bench::Bench;
use crate::bench::emulator::Library;
use crate::bench::peers::{Field, Peer};
use crate::bench::report::Comparison;
use crate::console;

/// What is copied, how far away it is, and by whom.
pub(super) struct Contest<'a> {
    /// Row of the goals.
    pub(super) row: u8,
    pub(super) library: Library,
    /// Of every request.
    pub(super) latency_ms: u64,
    pub(super) peers: &'a [Peer],
    /// Times that each peer runs.
    pub(super) pairs: u8,
}

impl Contest<'_> {
    /// Lets every peer run in each round, in turns from the first and from the last, so that whoever gains or
    /// loses by what ran before does so equally often.
    ///
    /// # Errors
    /// When a run fails or does not copy everything.
    pub(super) async fn hold(&self, bench: &Bench) -> Result<Comparison> {
        let emulator = bench.emulator(self.library, self.latency_ms).await?;
        let field = Field {
            bench,
            emulator: &emulator,
            library: self.library,
        };
        // Not counted: the emulator makes its bytes once, and nobody shall wait for it.
        for peer in self.peers.iter().filter(|peer| peer.is_floor()) {
            peer.run(&field).await?;
        }
        let mut comparison = Comparison::new(self.row, self.title());
        for round in 0..self.pairs {
            let mut order = self.peers.to_vec();
            if round % 2 == 1 {
                order.reverse();
            }
            for peer in order {
                let ran = peer.run(&field).await?;
                let (name, wall_s) = (peer.name(), ran.cost.wall_s);
                console::step(&format!(
                    "round {} of {}: {name}: {wall_s:.2} s",
                    round + 1,
                    self.pairs
                ));
                comparison.add(&name, ran.cost);
            }
        }
        Ok(comparison)
    }

    fn title(&self) -> String {
        let Library {
            items,
            bytes,
            videos,
        } = self.library;
        let kind = if videos { "videos" } else { "photos" };
        let size = if bytes >= super::MIB {
            format!("{} MiB", bytes / super::MIB)
        } else {
            format!("{} KiB", bytes / super::KIB)
        };
        format!("{items} {kind} of {size}, {} ms a request", self.latency_ms)
    }
}
