//! Connecting storages, making plans.

mod checklist;
pub mod connect_destination;
pub mod connect_google;
pub mod create_plan;
pub mod create_tenant;
pub mod reauthorise;
mod sign_in;
pub mod test_storage;
mod update_plan;
mod update_storage;
mod update_tenant;

pub use checklist::{Check, CheckName, CheckResult, Tested};
pub use connect_destination::NewDestination;
pub use connect_google::NewGoogleStorage;
pub use create_plan::NewPlan;
pub use create_tenant::NewTenant;
pub use sign_in::Connected;
