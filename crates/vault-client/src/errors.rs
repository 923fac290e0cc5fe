//! What went wrong, in the port's words.

use std::error::Error as _;

use tintype_ports::{
    VaultError,
    vault::{Refusal, SignInFault},
};
use tintype_proto::{refusal, vault::v1::Reason};
use tintype_runtime::mtls::TlsError;
use tonic::{Code, Status};

use crate::convert;

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// An endpoint cannot be understood.
    #[error("{0:?} is no address of a vault: write host:port, several with commas between them")]
    Endpoint(String),
    /// The certificates cannot be used.
    #[error("the certificates for the vault cannot be used")]
    Tls(#[from] TlsError),
    /// The grant key cannot be used. It is not shown.
    #[error("the grant key must be an Ed25519 private key in PEM form (PKCS #8)")]
    GrantKey,
}

/// A fault whose cause stays at the vault, in its log.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct AtTheVault(String);

/// The very error that the vault had, or what its absence means.
pub(crate) fn vault_error(status: &Status) -> VaultError {
    if let Some((reason, detail)) = refusal::of_status(status) {
        return by_reason(reason, detail);
    }
    let message = status.message();
    match status.code() {
        Code::PermissionDenied | Code::Unauthenticated | Code::InvalidArgument => {
            VaultError::Denied(message.to_owned())
        }
        Code::OutOfRange | Code::Unimplemented => {
            VaultError::Denied(format!("the vault cannot do that: {message}"))
        }
        _ => unreachable(&deepest(status)),
    }
}

pub(crate) fn unreachable(why: &str) -> VaultError {
    VaultError::Unavailable(format!("the vault cannot be reached: {why}"))
}

/// An answer that breaks the contract.
pub(crate) fn nonsense(what: &str) -> VaultError {
    VaultError::Unavailable(format!("the vault's answer has no {what}"))
}

fn by_reason(reason: Reason, detail: String) -> VaultError {
    let cause = |detail: String| {
        let words = if detail.is_empty() {
            "the vault's log says more".to_owned()
        } else {
            detail
        };
        Box::new(AtTheVault(words))
    };
    if let Some(by) = convert::refused_by(reason) {
        return VaultError::Refused(Refusal { by, reason: detail });
    }
    match reason {
        Reason::NotFound => VaultError::NotFound,
        Reason::WrongKind => VaultError::WrongKind,
        Reason::Unspecified | Reason::Unavailable => VaultError::Unavailable(detail),
        Reason::SignInUnknown => SignInFault::Unknown.into(),
        Reason::NoConsent => SignInFault::NoConsent(detail).into(),
        Reason::BadCode => SignInFault::BadCode(detail).into(),
        Reason::NotLasting => SignInFault::NotLasting.into(),
        Reason::OtherAccount => SignInFault::OtherAccount.into(),
        // Told apart above.
        Reason::Refused | Reason::ClientRefused | Reason::Revoked => {
            VaultError::Unavailable(detail)
        }
        Reason::Audit => VaultError::Audit(cause(detail)),
        Reason::Sealed => VaultError::Sealed,
        Reason::Changed => VaultError::Changed,
        Reason::Locked => VaultError::Locked(detail),
        Reason::Denied => VaultError::Denied(detail),
        Reason::Database => VaultError::Database(cause(detail)),
    }
}

/// The innermost cause says most: "connection refused" rather than "transport error".
fn deepest(status: &Status) -> String {
    let mut words = status.message().to_owned();
    let mut source = status.source();
    while let Some(error) = source {
        words = error.to_string();
        source = error.source();
    }
    words
}
