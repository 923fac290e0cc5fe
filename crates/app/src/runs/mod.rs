//! Starting and steering runs.

mod change;
mod foresee;
mod lookup;
mod picks;
mod preflight;
mod start;
mod steer;

pub use change::describe;
pub use picks::PickWindow;
pub use preflight::{Preflight, RefusedFile};
pub use start::RunChoice;
