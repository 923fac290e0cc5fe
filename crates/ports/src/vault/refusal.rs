//! Who refuses a credential, and why.

use serde::{Deserialize, Serialize};
pub use tintype_model::credential::health::RefusedBy;

/// Why a credential is refused, until it is replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Who refuses it.
    pub by: RefusedBy,
    /// Google's words, or the keeper's.
    pub reason: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let by = match self.by {
            RefusedBy::Token => "google does not accept the refresh token",
            RefusedBy::Client => "google does not accept the oauth client id and secret",
            RefusedBy::Keeper => "it was revoked",
        };
        write!(f, "{by}: {}", self.reason)
    }
}
