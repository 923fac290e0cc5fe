//! Ids that providers give, and those that are made where there is none.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// An id that the provider gave: text of 1 to 512 characters of `[A-Za-z0-9_-]`. Never a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProviderId(String);

/// How the catalogue's ids of picked items begin. No id of the Library API does: they are one long word.
pub const PICKED: &str = "picked-";

/// The provider sent something that cannot be an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a provider id has 1 to 512 characters of A-Z a-z 0-9 _ -")]
pub struct ParseProviderIdError;

impl FromStr for ProviderId {
    type Err = ParseProviderIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for ProviderId {
    type Error = ParseProviderIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        let valid = (1..=512).contains(&text.len()) && text.bytes().all(allowed);
        if valid {
            Ok(Self(text))
        } else {
            Err(ParseProviderIdError)
        }
    }
}

impl ProviderId {
    /// The id of what has none of its own but a path.
    #[must_use]
    pub fn of_path(path: &str) -> Self {
        Self(format!("path-{}", blake3::hash(path.as_bytes()).to_hex()))
    }

    /// The id in the catalogue of an item that a person picked: whether Google uses one id for an item in all its APIs is not said.
    ///
    /// # Errors
    /// When nothing is left of an id's length for the mark.
    pub fn picked(id: &Self) -> Result<Self, ParseProviderIdError> {
        Self::try_from(format!("{PICKED}{id}"))
    }

    /// The id that Google's Picker gave, of an item that a person picked.
    #[must_use]
    pub fn as_picked(&self) -> Option<Self> {
        self.0.strip_prefix(PICKED)?.parse().ok()
    }

    /// The id as the provider writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProviderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_picked_item_shows_what_google_called_it() {
        let id: ProviderId = "AbC_1-2".parse().expect("an id");
        let picked = ProviderId::picked(&id).expect("short enough");
        assert_eq!(picked.as_picked(), Some(id.clone()));
        assert_eq!(id.as_picked(), None);
        let longest: ProviderId = "x".repeat(512).parse().expect("an id");
        assert!(ProviderId::picked(&longest).is_err());
    }
}
