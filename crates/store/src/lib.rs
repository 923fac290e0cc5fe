//! The catalogue on SQLite and on PostgreSQL. SQL stands once in `sql/`, one file an aggregate; each engine mounts it next to
//! its `dialect`, which holds the statements that differ.

mod codec;
mod deadline;
mod failure;
mod postgres;
mod rows;
mod sqlite;

pub use postgres::{PostgresSettings, PostgresStore};
pub use sqlite::SqliteStore;
