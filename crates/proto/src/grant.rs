//! What a grant says: the claims of the JWT that goes with every use of a secret. See `vault.proto`.

use serde::{Deserialize, Serialize};

/// `typ` of the header.
pub const TYPE: &str = "tintype-grant+jwt";

/// `aud`.
pub const AUDIENCE: &str = "tintype-vault";

/// The longest a grant may be valid, in seconds.
pub const LONGEST_SECONDS: i64 = 300;

/// How far the clocks of caller and vault may differ, in seconds.
pub const LEEWAY_SECONDS: i64 = 5;

/// The claims. What is not listed here is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// SPIFFE identity of the caller.
    pub iss: String,
    /// [`AUDIENCE`].
    pub aud: String,
    /// The tenant, `ten_…`.
    pub sub: String,
    /// The storage, `stg_…`.
    pub storage: String,
    /// The run, `run_…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// What it is for.
    pub scope: Scope,
    /// Made at, seconds since 1970.
    pub iat: i64,
    /// Valid from, seconds since 1970.
    pub nbf: i64,
    /// Valid until, seconds since 1970; at most [`LONGEST_SECONDS`] after both.
    pub exp: i64,
    /// Unique.
    pub jti: String,
}

/// What a secret is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Listing a library.
    List,
    /// Downloading from it.
    Download,
    /// Testing a connection.
    Test,
    /// Writing to a destination.
    Write,
    /// Signing manifests.
    Sign,
    /// Reading files or an archive, to upload them.
    Read,
    /// Uploading to an account.
    Upload,
    /// Using a refresh token so that it lives on. No secret is had for it.
    KeepAlive,
}

impl Scope {
    /// All there are.
    pub const ALL: [Self; 8] = [
        Self::List,
        Self::Download,
        Self::Test,
        Self::Write,
        Self::Sign,
        Self::Read,
        Self::Upload,
        Self::KeepAlive,
    ];

    /// The word in claims and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Download => "download",
            Self::Test => "test",
            Self::Write => "write",
            Self::Sign => "sign",
            Self::Read => "read",
            Self::Upload => "upload",
            Self::KeepAlive => "keep_alive",
        }
    }

    /// The scope of that name.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }
}
