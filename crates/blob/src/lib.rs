//! Object storage and the archive format. How an archive lies on disk is described in `FORMAT.md` beside this crate.
//!
//! [`open_archive`] gives the port that runs write to; [`ArchiveReader`] reads an archive without any catalogue, which is
//! what [`verify`] and [`restore`] work on; [`open_files`] gives the port that uploads read from.

mod archive;
mod descriptor;
mod errors;
mod files;
mod guarded;
mod location;
mod manifest;
mod operator;
mod paths;
mod reader;
mod restore;
mod sealing;
mod settings;
mod sidecar;
mod verify;
mod write;

pub use archive::open_archive;
pub use descriptor::Descriptor;
pub use files::open_files;
pub use location::{BucketKeys, parse_location};
pub use reader::ArchiveReader;
pub use restore::{RestoreOptions, RestoreProgress, RestoreReport, restore};
pub use sealing::new_identity;
pub use settings::{ArchiveSettings, MemoryRoot, Root, S3Root, Spool};
pub use verify::{Problem, ProblemKind, VerifyOptions, VerifyProgress, VerifyReport, verify};
