//! What to do when something is already there.

use tintype_model::BlobHash;
use tintype_ports::ArchiveError;

use crate::sealing::sealed_length;

/// What a path means, which decides what may happen to what is already there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Named by its content: the right length is enough; anything else was damaged and is replaced.
    Object,
    /// A mirrored file: its bytes are compared; other bytes are replaced only when a sidecar shows that they are ours.
    Mirrored,
    /// A manifest never changes.
    Manifest,
    /// The first one stays; the caller reads it back.
    First,
    /// Always replaced.
    Latest,
}

/// What is about to be stored.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    /// Below the root.
    pub(crate) path: String,
    pub(crate) rule: Rule,
    /// Plain length in bytes.
    pub(crate) size: u64,
    /// Hash of the plain bytes.
    pub(crate) blob: BlobHash,
    pub(crate) sealed: bool,
}

/// How to compare with what is there.
pub(super) enum Comparison {
    /// By length alone.
    Length(u64),
    /// By the length of a sealed file, once the length of its header is known.
    SealedLength(u64),
    /// By all bytes, after the length.
    Bytes(u64, BlobHash),
}

/// What follows from a difference.
pub(super) enum Difference {
    Replace,
    ReplaceIfOurs,
    Refuse(ArchiveError),
}

impl Expected {
    pub(super) const fn comparison(&self) -> Comparison {
        match self.rule {
            _ if self.sealed => Comparison::SealedLength(self.size),
            Rule::Object => Comparison::Length(self.size),
            Rule::Mirrored | Rule::Manifest | Rule::First | Rule::Latest => {
                Comparison::Bytes(self.size, self.blob)
            }
        }
    }

    pub(super) fn difference(&self) -> Difference {
        match self.rule {
            Rule::Object | Rule::First | Rule::Latest => Difference::Replace,
            Rule::Mirrored => Difference::ReplaceIfOurs,
            Rule::Manifest => Difference::Refuse(ArchiveError::Foreign(format!(
                "{} is already there with other content",
                self.path
            ))),
        }
    }

    pub(super) fn in_the_way(&self) -> ArchiveError {
        ArchiveError::Foreign(format!(
            "a file that this archive did not write is at {}",
            self.path
        ))
    }

    pub(super) fn report_replacement(&self) {
        tracing::warn!(path = %self.path, "replaced what was there: it was not what it should be");
    }
}

/// Whether a sealed file of `length` bytes, with a header of `header`, holds `plain` bytes.
pub(super) fn sealed_fits(length: u64, header: Option<u64>, plain: u64) -> bool {
    header.is_some_and(|header| sealed_length(header, plain) == length)
}
