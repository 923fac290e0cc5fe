//! The vault's own database: SQLite for one machine, PostgreSQL for many replicas. The statements stand once, in `sql/`, and
//! are compiled for each; everything above sees the traits here.

mod postgres;
mod rows;
mod sqlite;
mod time;

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tintype_model::{StorageId, TenantId};
use uuid::Uuid;

pub(crate) use postgres::{Postgres, migrate};
pub use postgres::{Times, VaultPostgresSettings};
pub(crate) use rows::{
    CredentialRow, Current, EntryRow, Growth, LogRow, SignInRow, SigningRow, TenantRow,
};
pub(crate) use sqlite::Sqlite;

/// What a statement gives.
pub(crate) type Sql<T> = Result<T, sqlx::Error>;

/// A transaction, which rolls back unless committed.
pub(crate) type Tx = Box<dyn Rows>;

/// One of the two databases.
#[async_trait]
pub(crate) trait Database: Send + Sync {
    /// A transaction that reads one state of the database.
    async fn read(&self) -> Sql<Tx>;

    /// A transaction that writes. It locks the rows of its tenants first, see [`TenantRows::lock_tenants`].
    async fn write(&self) -> Sql<Tx>;

    /// The time that all replicas go by.
    async fn now(&self) -> Sql<DateTime<Utc>>;

    /// Overwrites what was deleted, where the database would keep it.
    async fn scrub(&self) -> Sql<()>;

    /// Waits for running statements and closes the connections.
    async fn close(&self);

    /// The longest that one transaction may take, a silent network included.
    fn call_timeout(&self) -> Duration;

    /// What a server can do; a file has no use for it.
    fn server(&self) -> Option<&dyn Server> {
        None
    }
}

/// A database that is a way off, and shared.
#[async_trait]
pub(crate) trait Server: Send + Sync {
    /// How many commits of the access log this process has under way together.
    fn commits_at_once(&self) -> u32;

    /// Appends to logs in one message and makes it durable: to each either all or nothing. Tenants that are gone are not in the
    /// answer. Locks as [`TenantRows::lock_tenants`] does.
    async fn append_to(&self, growths: &[Growth]) -> Sql<Vec<LogRow>>;
}

/// All statements of a transaction.
#[async_trait]
pub(crate) trait Rows:
    TenantRows + CredentialRows + SignInRows + SigningRows + AuditRows
{
    /// Makes it durable.
    async fn commit(self: Box<Self>) -> Sql<()>;

    /// Undoes it now, so that its locks are gone.
    async fn rollback(self: Box<Self>) -> Sql<()>;
}

/// Tenants and their wrapped keys.
#[async_trait]
pub(crate) trait TenantRows: Send {
    /// The tenant's row, if it has one.
    async fn tenant(&mut self, tenant: TenantId) -> Sql<Option<TenantRow>>;

    /// The rows of tenants, which nobody else changes until the transaction ends; their credentials and logs neither.
    /// In the order of ids, so that two that lock several never wait for each other.
    async fn lock_tenants(&mut self, tenants: &[Uuid]) -> Sql<Vec<TenantRow>>;

    /// Adds a tenant, unless it is there.
    async fn insert_tenant(&mut self, row: &TenantRow) -> Sql<()>;

    /// Replaces the wrapped keys, and nothing else of the row.
    async fn replace_keys(&mut self, row: &TenantRow) -> Sql<()>;

    /// Forgets the tenant's data key, and deletes what was sealed with it.
    async fn destroy_tenant(&mut self, tenant: TenantId, at: DateTime<Utc>) -> Sql<()>;

    /// Key-encryption keys in use, oldest first, with how many tenants use each.
    async fn key_versions(&mut self) -> Sql<Vec<(i64, i64)>>;

    /// Some tenant whose keys are wrapped with this key-encryption key.
    async fn tenant_of_key(&mut self, kek_version: i64) -> Sql<Option<TenantRow>>;

    /// Tenants behind `after` whose keys are not wrapped with `newest`.
    async fn tenants_to_rewrap(&mut self, newest: i64, after: Uuid, limit: u32) -> Sql<Vec<Uuid>>;
}

/// Credentials.
#[async_trait]
pub(crate) trait CredentialRows: Send {
    /// The credential of a storage, unless the tenant was destroyed.
    async fn credential(
        &mut self,
        tenant: TenantId,
        storage: StorageId,
    ) -> Sql<Option<CredentialRow>>;

    /// All credentials of a tenant.
    async fn credentials(&mut self, tenant: TenantId) -> Sql<Vec<CredentialRow>>;

    /// Puts or replaces a row.
    async fn put_credential(&mut self, row: &CredentialRow) -> Sql<()>;

    /// Removes a credential. `false`: there was none.
    async fn delete_credential(&mut self, tenant: TenantId, storage: StorageId) -> Sql<bool>;

    /// What is current of these storages' credentials, as far as they are there and not refused.
    async fn currents(&mut self, owners: &[(Uuid, Uuid)]) -> Sql<Vec<Current>>;
}

/// Sign-ins that are under way.
#[async_trait]
pub(crate) trait SignInRows: Send {
    /// Adds one, in the place of any other of its storage; those of the tenant that ran out before `now` go too.
    async fn put_sign_in(&mut self, row: &SignInRow, now: DateTime<Utc>) -> Sql<()>;

    /// Takes one away for good.
    async fn take_sign_in(&mut self, state_hash: &[u8]) -> Sql<Option<SignInRow>>;

    /// Takes all of a tenant away.
    async fn drop_sign_ins(&mut self, tenant: TenantId) -> Sql<()>;
}

/// Signing keys.
#[async_trait]
pub(crate) trait SigningRows: Send {
    /// The key of a storage.
    async fn signing_key(
        &mut self,
        tenant: TenantId,
        storage: StorageId,
    ) -> Sql<Option<SigningRow>>;

    /// All keys of a tenant.
    async fn signing_keys(&mut self, tenant: TenantId) -> Sql<Vec<SigningRow>>;

    /// Puts or replaces a row.
    async fn put_signing_key(&mut self, row: &SigningRow) -> Sql<()>;
}

/// The access log.
#[async_trait]
pub(crate) trait AuditRows: Send {
    /// Appends entries, and stores the new length and end of their logs: count, code and head of each row, nothing else of it.
    async fn append(&mut self, entries: &[EntryRow], ends: &[TenantRow]) -> Sql<()>;

    /// Entries of a tenant's log after `after`, in order.
    async fn entries(&mut self, tenant: TenantId, after: i64, limit: u32) -> Sql<Vec<EntryRow>>;
}
