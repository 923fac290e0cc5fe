//! Starting and steering runs.

mod change;
mod foresee;
mod lookup;
mod start;
mod steer;

pub use change::describe;
pub use start::RunChoice;
