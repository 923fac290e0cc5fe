//! Picking: a person chooses items in Google's own window, and an app may fetch these for a while.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{PhotoError, PhotoSource};

/// The most items that one session can hold, by Google's word.
pub const MOST_PICKS: u32 = 2_000;

/// The name of a session. Together with an access token it opens what was picked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PickSessionId(pub String);

/// A session, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PickSession {
    /// Its name.
    pub id: PickSessionId,
    /// Where the person goes. Not secret: only the account's own person can pick there.
    pub uri: String,
    /// How long to wait before the next look, while nothing is picked.
    pub poll_after: Option<Duration>,
    /// When it ends, picked or not.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether the person is done.
    pub is_picked: bool,
}

/// The Picker of an account. Every call has deadlines and limited retries of its own.
#[async_trait]
pub trait PhotoPicker: Send + Sync {
    /// Opens a session for at most [`MOST_PICKS`] items.
    async fn begin(&self) -> Result<PickSession, PhotoError>;

    /// How a session stands.
    ///
    /// # Errors
    /// [`PhotoError::ItemNotFound`] when it has ended.
    async fn look(&self, session: &PickSessionId) -> Result<PickSession, PhotoError>;

    /// Ends a session. One that has ended is none to worry about.
    async fn end(&self, session: &PickSessionId) -> Result<(), PhotoError>;

    /// What was picked in a session, as a source. Its ids are those of the Picker; it has no albums.
    fn picks(&self, session: &PickSessionId) -> Arc<dyn PhotoSource>;
}
