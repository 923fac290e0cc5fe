//! Adapters of the event bus port and of the bell.

mod bell;
mod memory;

pub use bell::MemoryBell;
pub use memory::MemoryEvents;
