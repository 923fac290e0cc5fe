//! What a person pastes to connect Google Photos: client id, client file, token. Read strictly, never echoed.

mod client;
pub mod health;
mod paste;
mod token;

use std::fmt;

pub use client::{ClientId, ClientSecretFile};
pub use token::TokenBlob;

/// The longest text that is looked at, in bytes.
pub const MAX_INPUT: usize = 64 * 1024;

/// The form field that an error belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// The OAuth client id.
    ClientId,
    /// The OAuth client file that the Google Cloud console offers for download.
    ClientFile,
    /// The OAuth token that `rclone authorize` prints.
    Token,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClientId => "client id",
            Self::ClientFile => "client file",
            Self::Token => "token",
        })
    }
}

/// What is wrong with a pasted text and what to do. No variant carries text of the person, so none can leak it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Problem {
    /// Nothing but white space and quotes.
    #[error("is empty; paste it whole")]
    Empty,
    /// Longer than [`MAX_INPUT`].
    #[error("is longer than 64 KiB, so it is something else; paste only this field's text")]
    TooLong,
    /// Not of the form `<digits>-<letters and digits>.apps.googleusercontent.com`.
    #[error(
        "does not look like 123456789-abc.apps.googleusercontent.com; copy it from \
         Google Cloud console, APIs & Services, Credentials"
    )]
    NotClientId,
    /// The beginning or the end is missing.
    #[error("is cut off; copy all of it, from the opening to the closing brace")]
    CutOff,
    /// No JSON and no config blob.
    #[error(
        "is not JSON; paste what rclone authorize prints between \
         'Paste the following into your remote machine --->' and '<---End paste'"
    )]
    NotJson,
    /// JSON, but not an object with the members of a token.
    #[error("is JSON without a token in it; paste what rclone authorize \"google photos\" prints")]
    NotAToken,
    /// A member that must be text is something else, or holds characters no token has.
    #[error("has a damaged member; copy it again, without editing it")]
    Damaged,
    /// The expiry is not a time.
    #[error("has an expiry that is not an RFC 3339 time; copy it again, without editing it")]
    BadExpiry,
    /// Only an access token, which dies within the hour.
    #[error(
        "has no refresh_token; run rclone authorize again with access_type offline: \
         first remove the app under 'Third-party access' of the Google account, then sign in anew"
    )]
    NoRefreshToken,
    /// The access token is dead and there is nothing to renew it with.
    #[error(
        "has expired and has no refresh_token; run rclone authorize again with access_type offline"
    )]
    ExpiredWithoutRefreshToken,
    /// A lone access or refresh token.
    #[error("is a bare token; paste the whole JSON that rclone authorize prints")]
    BareToken,
    /// The code that a sign-in page shows before it is traded for a token.
    #[error(
        "is a verification code, not a token; give the code to rclone and paste what rclone prints then"
    )]
    VerificationCode,
    /// A token of Dropbox, Microsoft or another provider.
    #[error(
        "is a token of another provider; run rclone authorize \"google photos\" with your client id and secret"
    )]
    OtherProvider,
    /// A service-account key.
    #[error(
        "is a service account key, which Google Photos does not accept; run rclone authorize \"google photos\""
    )]
    ServiceAccountKey,
    /// gcloud's own login.
    #[error(
        "is gcloud's own login; run rclone authorize \"google photos\" with your client id and secret"
    )]
    GcloudLogin,
    /// The OAuth client file, pasted where the token belongs.
    #[error(
        "is an OAuth client file, not a token; put its client_id and client_secret in their fields \
         and run rclone authorize \"google photos\""
    )]
    ClientFileAsToken,
    /// The blob that rclone wants as an argument, not the one it prints.
    #[error(
        "is the blob to run rclone authorize with; run it on the machine with a browser \
         and paste what it prints"
    )]
    RequestBlob,
    /// A token, pasted where the OAuth client file belongs.
    #[error(
        "is a token, not an OAuth client file; download the file from Google Cloud console, Credentials"
    )]
    TokenAsClientFile,
    /// The client file has no `installed` or `web` part with id and secret.
    #[error(
        "has no client_id and client_secret; download the JSON of an OAuth client from Google Cloud console, Credentials"
    )]
    NotAClientFile,
}

/// A pasted text was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct CredentialError {
    /// The field to mark.
    pub field: Field,
    /// What is wrong, and what to do.
    pub problem: Problem,
}

impl CredentialError {
    const fn new(field: Field, problem: Problem) -> Self {
        Self { field, problem }
    }
}

#[cfg(test)]
mod tests;
