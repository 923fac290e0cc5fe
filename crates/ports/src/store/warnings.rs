//! What tenants were told of accounts whose credentials will die.

use async_trait::async_trait;
use tintype_model::{StorageId, TenantId, credential::health::Warned, storage::Storage};

use super::StoreResult;

/// A storage, and what its tenant was told of it last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedStorage {
    /// The storage, of whatever kind.
    pub storage: Storage,
    /// The last warning that was given.
    pub warned: Option<Warned>,
}

/// Warnings, across tenants.
#[async_trait]
pub trait Warnings: Send + Sync {
    /// Storages of all tenants in order of tenant and id after `after`, at most `limit`.
    async fn watched_storages(
        &self,
        after: Option<(TenantId, StorageId)>,
        limit: u32,
    ) -> StoreResult<Vec<WatchedStorage>>;
    /// Records that the tenant was told, where it was told `from` last. `false`: somebody else recorded something meanwhile, or the
    /// storage is gone.
    async fn record_warning(
        &self,
        tenant: TenantId,
        storage: StorageId,
        from: Option<Warned>,
        to: Warned,
    ) -> StoreResult<bool>;
}
