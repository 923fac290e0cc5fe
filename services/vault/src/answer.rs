//! How the keeper's errors leave: the exact class, words without secrets, and one line in the log where it belongs.

use std::error::Error;

use tintype_ports::{VaultError, vault::SignInFault};
use tintype_proto::{refusal, vault::v1::Reason};
use tonic::Status;

use crate::convert;

/// What the caller gets. Causes inside the vault stay in its log.
pub(crate) fn refused(error: VaultError) -> Status {
    let words = error.to_string();
    let (reason, detail) = match error {
        VaultError::NotFound => (Reason::NotFound, String::new()),
        VaultError::WrongKind => (Reason::WrongKind, String::new()),
        VaultError::Refused(refusal) => (convert::refused_by(refusal.by), refusal.reason),
        VaultError::Unavailable(detail) => (Reason::Unavailable, detail),
        VaultError::SignIn(fault) => match fault {
            SignInFault::Unknown => (Reason::SignInUnknown, String::new()),
            SignInFault::NoConsent(detail) => (Reason::NoConsent, detail),
            SignInFault::BadCode(detail) => (Reason::BadCode, detail),
            SignInFault::NotLasting => (Reason::NotLasting, String::new()),
            SignInFault::OtherAccount => (Reason::OtherAccount, String::new()),
        },
        VaultError::Changed => (Reason::Changed, String::new()),
        VaultError::Locked(detail) => (Reason::Locked, detail),
        VaultError::Denied(detail) => {
            tracing::warn!(reason = %detail, "the vault refuses a call");
            (Reason::Denied, detail)
        }
        VaultError::Sealed => {
            tracing::error!("a sealed record cannot be opened");
            (Reason::Sealed, String::new())
        }
        VaultError::Audit(cause) => {
            tracing::error!(
                error = &*cause as &(dyn Error + 'static),
                "the use could not be audited"
            );
            (Reason::Audit, String::new())
        }
        VaultError::Database(cause) => {
            tracing::error!(
                error = &*cause as &(dyn Error + 'static),
                "the vault's database failed"
            );
            (Reason::Database, String::new())
        }
    };
    refusal::status(reason, words, detail)
}

/// The same for the check of an access log, whose answer is what is wrong with it.
pub(crate) fn log_fault(error: VaultError) -> Status {
    match error {
        VaultError::Audit(cause) => {
            tracing::error!(
                error = &*cause as &(dyn Error + 'static),
                "an access log is not whole"
            );
            refusal::status(
                Reason::Audit,
                "the access log is not whole",
                cause.to_string(),
            )
        }
        other => refused(other),
    }
}
