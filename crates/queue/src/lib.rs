//! Adapters of the queue port.

mod memory;

pub use memory::MemoryQueue;
