//! Where a person goes to pick for a run that waits for it.

use chrono::{DateTime, Utc};
use tintype_model::{RunId, TenantId};
use tintype_ports::StoreError;

use crate::{App, AppError, AppResult, worker::Cursor};

/// A window at Google in which a person picks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PickWindow {
    /// Where it is. It cannot be shown inside another page.
    pub uri: String,
    /// When it closes, where Google says so.
    pub expires_at: Option<DateTime<Utc>>,
}

impl App {
    /// Where to pick for a run; `None` when it does not wait for picks.
    ///
    /// # Errors
    /// The store fails.
    pub async fn pick_window(&self, tenant: TenantId, run: RunId) -> AppResult<Option<PickWindow>> {
        Ok(match self.cursor_of(tenant, run).await? {
            Some(Cursor::Picking {
                uri, expires_at, ..
            }) => Some(PickWindow { uri, expires_at }),
            _ => None,
        })
    }

    /// Where the listing of a run stands.
    pub(crate) async fn cursor_of(
        &self,
        tenant: TenantId,
        run: RunId,
    ) -> AppResult<Option<Cursor>> {
        let Some(checkpoint) = self.ports.store.checkpoint(tenant, run).await? else {
            return Ok(None);
        };
        let cursor = serde_json::from_str(&checkpoint.cursor);
        cursor
            .map(Some)
            .map_err(|error| AppError::Store(StoreError::Corrupt(error.to_string())))
    }
}
