//! Events.

pub(super) mod stream;
