//! Uploads on their way: resumable sessions, and tokens waiting for `batchCreate`.

use std::collections::HashMap;

use bytes::{Bytes, BytesMut};

use super::ids::Key;

/// Every chunk but the last is a multiple of this many bytes.
pub(crate) const GRANULARITY: u64 = 262_144;

/// Bytes that were uploaded and have a token.
#[derive(Debug, Clone)]
pub(crate) struct Uploaded {
    pub(crate) account: u16,
    pub(crate) client: u16,
    pub(crate) mime: Option<String>,
    /// `X-Goog-Upload-File-Name`, used when `batchCreate` gives no name (as rclone does).
    pub(crate) file_name: Option<String>,
    /// Empty under the switch `forget_uploads`, when only the head is kept.
    pub(crate) bytes: Bytes,
    pub(crate) len: u64,
    pub(crate) sha256: [u8; 32],
    pub(crate) issued_ms: i64,
    /// The item made from it, once it was used.
    pub(crate) used: Option<Key>,
}

/// Where a resumable session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Active,
    Final,
    Cancelled,
}

impl Phase {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Final => "final",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A resumable session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) account: u16,
    pub(crate) client: u16,
    pub(crate) mime: Option<String>,
    pub(crate) file_name: Option<String>,
    pub(crate) size: Option<u64>,
    pub(crate) hash: Option<String>,
    pub(crate) phase: Phase,
    pub(crate) received: BytesMut,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Uploads {
    pub(crate) sessions: HashMap<String, Session>,
    pub(crate) tokens: HashMap<String, Uploaded>,
    serial: u64,
}

impl Uploads {
    /// A number for a new token or session.
    pub(crate) fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }
}
