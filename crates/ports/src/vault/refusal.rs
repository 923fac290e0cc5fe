//! Who refuses a credential, and why.

use serde::{Deserialize, Serialize};

/// Who refuses a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusedBy {
    /// Google does not take the refresh token any more: the person must sign in again.
    Token,
    /// Google does not know the OAuth client, or its secret is wrong or has expired.
    Client,
    /// A keeper of the vault revoked it.
    Keeper,
}

impl RefusedBy {
    /// The word that stands in databases.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Client => "client",
            Self::Keeper => "keeper",
        }
    }
}

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
