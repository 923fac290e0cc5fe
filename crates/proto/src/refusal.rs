//! How a refusal travels beside the gRPC status, so that the caller knows exactly which one it is.

use prost::Message as _;
use tonic::{Code, Status, metadata::MetadataValue};

use crate::vault::v1::{Reason, Refusal};

/// The trailer that holds an encoded [`Refusal`].
pub const TRAILER: &str = "tintype-refusal-bin";

/// A status that carries the refusal. `words` is for people who look at the status alone.
#[must_use]
pub fn status(reason: Reason, words: impl Into<String>, detail: impl Into<String>) -> Status {
    let refusal = Refusal {
        reason: reason.into(),
        detail: detail.into(),
    };
    let mut status = Status::new(code(reason), words);
    let encoded = MetadataValue::from_bytes(&refusal.encode_to_vec());
    status.metadata_mut().insert_bin(TRAILER, encoded);
    status
}

/// The refusal that the status carries, if it does.
#[must_use]
pub fn of_status(status: &Status) -> Option<(Reason, String)> {
    let encoded = status.metadata().get_bin(TRAILER)?.to_bytes().ok()?;
    let refusal = Refusal::decode(encoded).ok()?;
    match refusal.reason() {
        Reason::Unspecified => None,
        reason => Some((reason, refusal.detail)),
    }
}

const fn code(reason: Reason) -> Code {
    match reason {
        Reason::Unspecified | Reason::Sealed => Code::Internal,
        Reason::NotFound => Code::NotFound,
        Reason::WrongKind => Code::InvalidArgument,
        Reason::Refused | Reason::ClientRefused | Reason::Revoked => Code::FailedPrecondition,
        Reason::SignInUnknown
        | Reason::NoConsent
        | Reason::BadCode
        | Reason::NotLasting
        | Reason::OtherAccount => Code::FailedPrecondition,
        Reason::Unavailable | Reason::Audit | Reason::Locked | Reason::Database => {
            Code::Unavailable
        }
        Reason::Changed => Code::Aborted,
        Reason::Denied => Code::PermissionDenied,
    }
}
