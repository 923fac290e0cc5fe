//! `POST /uploads`: an item's bytes on their way to Google.

mod raw;

pub(crate) use raw::raw;
