//! Media bytes: where they come from, what each base URL serves, and how they go out.

pub(crate) mod base_url;
pub(crate) mod body;
pub(crate) mod content;
pub(crate) mod download;
pub(crate) mod exif;
pub(crate) mod filler;
pub(crate) mod originals;
pub(crate) mod probe;
