//! The statements, compiled once for each engine. What differs is behind `dialect`.

use async_trait::async_trait;
use sqlx::Transaction;

use super::{Conn, Db, dialect};
use crate::db::{Rows, Sql};

mod audit;
mod credentials;
mod sign_ins;
mod signing;
mod tenants;

/// A transaction that has begun.
pub(super) struct Begun(pub(super) Transaction<'static, Db>);

impl Begun {
    fn conn(&mut self) -> &mut Conn {
        &mut self.0
    }
}

#[async_trait]
impl Rows for Begun {
    async fn commit(self: Box<Self>) -> Sql<()> {
        self.0.commit().await
    }

    async fn rollback(self: Box<Self>) -> Sql<()> {
        self.0.rollback().await
    }
}
