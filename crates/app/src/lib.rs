//! The use cases: one file a verb. They know the ports and the model, never an adapter.
//!
//! `setup` connects storages and plans, `runs` starts and steers runs, `schedule` decides what is worked on next,
//! `worker` does it: enumerate → transfer → finalize; `operate` helps where work was set aside.

mod app;
mod error;
pub mod operate;
pub mod runs;
mod schedule;
mod settings;
pub mod setup;
mod steps;
mod trace;
mod worker;
mod writer;

pub use app::{App, Ports};
pub use error::{AppError, AppResult};
pub use settings::Settings;
pub use steps::{NoSteps, Step, Steps};
