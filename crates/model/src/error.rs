//! The one table that sorts every failure: what a person should do about it, and how each door reports it.

use serde::{Deserialize, Serialize};

/// The class of a failure. Each layer adds words; the class decides what happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// Something a person typed or sent is wrong; the text says which field and what to do.
    InvalidInput,
    /// The named thing does not exist, or belongs to somebody else.
    NotFound,
    /// The thing exists already, or changed underneath.
    Conflict,
    /// Google no longer accepts the credential: the person must sign in again.
    AuthLost,
    /// The credential lacks a scope or the API is switched off: the person must grant it.
    Forbidden,
    /// The quota day of the cloud project is used up.
    QuotaExhausted,
    /// A passing fault: try again later.
    Unavailable,
    /// The destination has no room left.
    DestinationFull,
    /// The destination does not exist or cannot be reached with these settings.
    DestinationMissing,
    /// The destination refuses writes.
    DestinationReadOnly,
    /// A person has yet to pick photos.
    PickAwaited,
    /// Bytes are not what they should be.
    Corrupt,
    /// Somebody else holds the lease: stop at once.
    LeaseLost,
    /// A defect of ours.
    Internal,
}

impl ErrorKind {
    /// The exit code of the command line: 1 failure, 2 usage, 3 auth, 4 waiting for quota, 5 partial.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::InvalidInput => 2,
            Self::AuthLost | Self::Forbidden => 3,
            Self::QuotaExhausted => 4,
            Self::NotFound
            | Self::Conflict
            | Self::Unavailable
            | Self::DestinationFull
            | Self::DestinationMissing
            | Self::DestinationReadOnly
            | Self::PickAwaited
            | Self::Corrupt
            | Self::LeaseLost
            | Self::Internal => 1,
        }
    }

    /// The HTTP status of a problem document of this class.
    #[must_use]
    pub const fn http_status(self) -> u16 {
        match self {
            Self::InvalidInput => 422,
            Self::NotFound => 404,
            Self::Conflict | Self::LeaseLost | Self::PickAwaited => 409,
            Self::AuthLost => 401,
            Self::Forbidden => 403,
            Self::QuotaExhausted => 429,
            Self::Unavailable => 503,
            Self::DestinationFull => 507,
            Self::DestinationMissing | Self::DestinationReadOnly => 424,
            Self::Corrupt | Self::Internal => 500,
        }
    }

    /// The stable code in problem documents and JSON output.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidInput => "invalid_input",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::AuthLost => "auth_lost",
            Self::Forbidden => "forbidden",
            Self::QuotaExhausted => "quota_exhausted",
            Self::Unavailable => "unavailable",
            Self::DestinationFull => "destination_full",
            Self::DestinationMissing => "destination_missing",
            Self::DestinationReadOnly => "destination_read_only",
            Self::PickAwaited => "pick_awaited",
            Self::Corrupt => "corrupt",
            Self::LeaseLost => "lease_lost",
            Self::Internal => "internal",
        }
    }
}
