//! An album: a named, ordered list of items.

use serde::{Deserialize, Serialize};

use crate::item::ProviderId;

/// An album as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Album {
    /// The provider's id.
    pub provider_id: ProviderId,
    /// Its title; may be empty.
    pub title: String,
    /// How many items the provider says it has.
    pub items_count: u64,
}
