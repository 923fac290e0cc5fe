//! A transaction, and the time it goes by.

use chrono::{DateTime, Utc};
use sqlx::Transaction;

use super::{Conn, Db};
use crate::failure::Outcome;

/// Rolls back unless committed.
pub(crate) struct Tx {
    inner: Transaction<'static, Db>,
    /// When it began, by the clock that leases go by.
    pub(crate) now: DateTime<Utc>,
}

impl Tx {
    pub(crate) const fn new(inner: Transaction<'static, Db>, now: DateTime<Utc>) -> Self {
        Self { inner, now }
    }

    pub(crate) fn conn(&mut self) -> &mut Conn {
        &mut self.inner
    }

    pub(crate) async fn commit(self) -> Outcome<()> {
        Ok(self.inner.commit().await?)
    }
}
