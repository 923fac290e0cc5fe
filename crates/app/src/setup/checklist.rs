//! What a test of a storage tells a person, line by line.

use tintype_model::{ErrorKind, storage::GoogleScope};
use tintype_ports::{
    PhotoError, VaultError,
    originals::OriginalError,
    photos::Forbidden,
    vault::{Refusal, RefusedBy},
};

/// What is tested, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckName {
    /// There is a credential that nobody has refused.
    Credential,
    /// Google trades the refresh token for an access token.
    Token,
    /// What the options need was granted.
    Scopes,
    /// The library can be listed.
    Listing,
    /// The bytes of one item can be fetched.
    Bytes,
    /// Bytes can be sent to Google.
    Write,
    /// The full-resolution proxy gives originals.
    Proxy,
}

impl CheckName {
    /// The line a person reads.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Token => "token refresh",
            Self::Scopes => "granted scopes",
            Self::Listing => "listing",
            Self::Bytes => "one item's bytes",
            Self::Write => "upload",
            Self::Proxy => "download proxy",
        }
    }
}

/// How a check went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckResult {
    /// Good, with the evidence.
    Passed(String),
    /// Nothing to test it on, and why.
    Skipped(String),
    /// Bad.
    Failed {
        /// The class.
        kind: ErrorKind,
        /// The cause.
        cause: String,
        /// The one thing to do next.
        action: &'static str,
    },
}

/// One line of the checklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was tested.
    pub name: CheckName,
    /// How it went.
    pub result: CheckResult,
}

/// How a test went as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tested {
    /// Whether no line failed.
    pub passed: bool,
    /// The calls that Google counts, of both kinds, that it cost.
    pub requests: u64,
}

const AGAIN: &str = "try again in a minute; check the network and the proxy when it stays";

impl Check {
    pub(super) fn passed(name: CheckName, evidence: impl Into<String>) -> Self {
        let result = CheckResult::Passed(evidence.into());
        Self { name, result }
    }

    pub(super) fn skipped(name: CheckName, why: &str) -> Self {
        let result = CheckResult::Skipped(why.to_owned());
        Self { name, result }
    }

    pub(super) const fn failed(
        name: CheckName,
        kind: ErrorKind,
        cause: String,
        action: &'static str,
    ) -> Self {
        let result = CheckResult::Failed {
            kind,
            cause,
            action,
        };
        Self { name, result }
    }

    /// A credential that is refused.
    pub(super) fn refused(name: CheckName, refusal: &Refusal) -> Self {
        let action = match refusal.by {
            RefusedBy::Token => {
                "authorise again; a token of an app in Testing dies after 7 days, so publish the app in the Google Cloud \
                 console to keep the next one"
            }
            RefusedBy::Client => {
                "copy client id and secret anew from the Google Cloud console, APIs & Services, Credentials, and authorise \
                 again with them"
            }
            RefusedBy::Keeper => "ask whoever runs this service, or authorise again",
        };
        Self::failed(name, ErrorKind::AuthLost, refusal.to_string(), action)
    }

    pub(super) fn of_vault(name: CheckName, error: &VaultError) -> Self {
        if let VaultError::Refused(refusal) = error {
            return Self::refused(name, refusal);
        }
        let action = match error {
            VaultError::NotFound => "authorise the account again",
            VaultError::Denied(_) | VaultError::Sealed | VaultError::Locked(_) => {
                "ask whoever runs this service to look at the vault"
            }
            _ => AGAIN,
        };
        let cause = crate::runs::describe(error);
        Self::failed(name, error.kind(), cause, action)
    }

    pub(super) fn of_photos(name: CheckName, error: &PhotoError) -> Self {
        let action = match error {
            PhotoError::Vault(error) => return Self::of_vault(name, error),
            PhotoError::Refused(refusal) => return Self::refused(name, refusal),
            PhotoError::AuthLost(_) => "authorise again and paste the new token",
            PhotoError::Forbidden(Forbidden::ScopeMissing) => {
                "authorise again and allow all that is asked for"
            }
            PhotoError::Forbidden(Forbidden::ApiDisabled { .. }) => {
                "enable the Photos Library API in the Google Cloud console, APIs & Services, Library; it takes effect within \
                 minutes"
            }
            PhotoError::Forbidden(Forbidden::AccountDisabled) => {
                "switch Google Photos on for the account, or ask the organisation's administrator"
            }
            PhotoError::Forbidden(Forbidden::NotGoogle(_)) => {
                "check the proxy between here and Google"
            }
            PhotoError::Forbidden(Forbidden::Other(_)) => {
                "authorise again with the OAuth client that uploaded the photos"
            }
            PhotoError::QuotaExhausted { .. } => {
                "wait until the quota day turns, or use another cloud project"
            }
            PhotoError::StorageFull => "free some storage in the Google account",
            PhotoError::Rejected(_) | PhotoError::NotMedia(_) => {
                "report this as a defect of Tintype, with the cause"
            }
            _ => AGAIN,
        };
        Self::failed(name, error.kind(), crate::runs::describe(error), action)
    }

    /// A download proxy that gives no original.
    pub(super) fn of_original(error: &OriginalError) -> Self {
        let action = match error {
            OriginalError::Forbidden(_) => {
                "name a proxy on the public internet that is reached by https, or ask whoever runs this service to allow this one"
            }
            OriginalError::Unreachable(_) => "start the proxy, or correct its address",
            OriginalError::TooSlow(_) => "restart the proxy and its browser",
            OriginalError::NotFound => {
                "sign the proxy's browser in to the Google account that is backed up"
            }
            OriginalError::Status(401 | 403) => {
                "let the proxy answer without a sign-in, where only Tintype reaches it"
            }
            OriginalError::Status(_) => {
                "read the proxy's own log; its browser has to be signed in at Google"
            }
            OriginalError::Redirect => "name the address that it redirects to",
            OriginalError::NotMedia(_) => {
                "correct the address, with the path that the proxy is reached at"
            }
            OriginalError::CutShort(_) => "look for what breaks connections to the proxy",
        };
        Self::failed(CheckName::Proxy, error.kind(), error.to_string(), action)
    }

    pub(super) fn missing(scope: GoogleScope) -> Self {
        let action = match scope {
            GoogleScope::Read => "authorise again and allow reading",
            GoogleScope::Pick => "authorise again and allow picking",
            GoogleScope::Append | GoogleScope::Edit => {
                "authorise again and allow uploading, or make the storage read only"
            }
        };
        let cause = format!("{} is not among the granted scopes", scope.name());
        Self::failed(CheckName::Scopes, ErrorKind::Forbidden, cause, action)
    }

    pub(super) const fn is_fine(&self) -> bool {
        !matches!(self.result, CheckResult::Failed { .. })
    }
}
