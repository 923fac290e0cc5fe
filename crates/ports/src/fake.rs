//! Stand-ins for tests: a clock that is set by hand, randomness from a seed, a quota ledger in memory.

mod clock;
mod entropy;
mod ledger;

pub use clock::ManualClock;
pub use entropy::SeededEntropy;
pub use ledger::MemoryLedger;
