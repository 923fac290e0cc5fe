//! Adapters of the queue port.

mod memory;
mod rabbitmq;

pub use memory::MemoryQueue;
pub use rabbitmq::{RabbitQueue, RabbitSettings, SettingsError};
