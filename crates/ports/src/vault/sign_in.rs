//! A person signs in at Google for a storage.

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use tintype_model::{ErrorKind, StorageId, TenantId, storage::GoogleScope};

use super::SecretInfo;

/// An OAuth client.
#[derive(Debug, Clone)]
pub struct OAuthClient {
    /// Its id.
    pub id: String,
    /// Its secret.
    pub secret: SecretString,
}

/// A sign-in that a person is to be sent to.
#[derive(Debug, Clone)]
pub struct SignInRequest {
    /// The client to sign in with; `None`: that of the storage's credential.
    pub client: Option<OAuthClient>,
    /// Where Google sends the person back to, exactly as the client has it.
    pub redirect_uri: String,
    /// What is asked for.
    pub scopes: Vec<GoogleScope>,
    /// Whether another Google account than the one connected before may take its place.
    pub other_account: bool,
}

/// Where the person goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInPage {
    /// Google's page. It holds a secret that lets one answer back in, so it is for this person only.
    pub url: String,
    /// Until then the answer is waited for.
    pub expires_at: DateTime<Utc>,
}

/// What the person came back with.
#[derive(Debug, Clone)]
pub enum SignInAnswer {
    /// Consent.
    Code(SecretString),
    /// None, in Google's word: `access_denied` when the person said no.
    Error(String),
}

/// Somebody has signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// Whose storage it is.
    pub tenant: TenantId,
    /// The storage that has the credential now.
    pub storage: StorageId,
    /// What may be known of it.
    pub info: SecretInfo,
}

/// Why a sign-in gave no credential. What was there before stays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignInFault {
    /// Forged, used before, or too late.
    #[error(
        "no sign-in waits for this answer: it was used, or more than ten minutes have passed; begin again"
    )]
    Unknown,
    /// The person said no, or Google did.
    #[error("google gave no consent: {0}")]
    NoConsent(String),
    /// Google does not take the code.
    #[error("google does not accept the code of the sign-in: {0}")]
    BadCode(String),
    /// Only an access token came, which dies within the hour.
    #[error(
        "google gave no refresh token: remove the app under 'Third-party access' of the google account, then sign in anew"
    )]
    NotLasting,
    /// Somebody else signed in.
    #[error("another google account signed in than the one that was connected before")]
    OtherAccount,
}

impl SignInFault {
    /// The class of the failure.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Unknown | Self::BadCode(_) | Self::NotLasting => ErrorKind::InvalidInput,
            Self::NoConsent(_) => ErrorKind::Forbidden,
            Self::OtherAccount => ErrorKind::Conflict,
        }
    }
}
