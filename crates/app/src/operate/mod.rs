//! What an operator does across tenants: puts work back that was set aside.

mod leader;
mod redrive;
mod requeue;

pub use redrive::Redriven;
pub use requeue::Requeue;
