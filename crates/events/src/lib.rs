//! Adapters of the event bus port.

mod memory;

pub use memory::MemoryEvents;
