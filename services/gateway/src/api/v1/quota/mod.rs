//! Quota.

pub(super) mod get;
