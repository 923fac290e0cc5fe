//! One trait for each outside thing the use cases talk to. Adapters implement them; `contract/` holds the suite that
//! every adapter of a port passes.

pub mod archive;
pub mod bell;
pub mod clock;
#[cfg(feature = "contract")]
pub mod contract;
pub mod events;
#[cfg(feature = "fake")]
pub mod fake;
pub mod files;
pub mod google_auth;
pub mod originals;
pub mod photos;
pub mod queue;
pub mod quota;
pub mod rate_limit;
pub mod store;
pub mod trace;
pub mod vault;

pub use archive::{Archive, ArchiveError};
pub use bell::Bell;
pub use clock::{Clock, Entropy};
pub use events::Events;
pub use files::Files;
pub use originals::Originals;
pub use photos::{PhotoError, PhotoSink, PhotoSource};
pub use queue::Queue;
pub use quota::Quota;
pub use rate_limit::RateLimiter;
pub use store::{Store, StoreError};
pub use vault::{Vault, VaultError, VaultKeeper};
