//! A transaction, and the time it goes by.

use chrono::{DateTime, Utc};
use sqlx::Transaction;

use super::{Conn, Db, dialect};
use crate::failure::Outcome;

/// Rolls back unless committed.
pub(crate) struct Tx {
    inner: Transaction<'static, Db>,
    now: Option<DateTime<Utc>>,
}

impl Tx {
    pub(crate) const fn new(inner: Transaction<'static, Db>, now: Option<DateTime<Utc>>) -> Self {
        Self { inner, now }
    }

    /// The time, by the clock that leases go by; the same one until the transaction ends. A server is asked for its time when it
    /// is needed first.
    pub(crate) async fn now(&mut self) -> Outcome<DateTime<Utc>> {
        if let Some(now) = self.now {
            return Ok(now);
        }
        let now = sqlx::query_scalar(dialect::NOW)
            .fetch_one(self.conn())
            .await?;
        self.now = Some(now);
        Ok(now)
    }

    /// The time came with another answer.
    pub(crate) fn learn(&mut self, now: Option<DateTime<Utc>>) {
        self.now = self.now.or(now);
    }

    pub(crate) fn conn(&mut self) -> &mut Conn {
        &mut self.inner
    }

    pub(crate) async fn commit(self) -> Outcome<()> {
        Ok(self.inner.commit().await?)
    }
}
