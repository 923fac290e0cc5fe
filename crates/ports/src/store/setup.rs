//! Tenants and storages.

use async_trait::async_trait;
use tintype_model::{StorageId, TenantId, storage::Storage, tenant::Tenant};

use super::StoreResult;

/// Tenants and storages.
#[async_trait]
pub trait Setup: Send + Sync {
    /// Adds a tenant. [`StoreError::Conflict`] when the id exists.
    async fn add_tenant(&self, tenant: &Tenant) -> StoreResult<()>;
    /// A tenant by id.
    async fn tenant(&self, id: TenantId) -> StoreResult<Option<Tenant>>;
    /// A tenant by name, oldest first where several have it.
    async fn tenant_by_name(&self, name: &str) -> StoreResult<Option<Tenant>>;
    /// Changes name, weight and cap of a tenant from what they were to what they are to be.
    /// [`StoreError::NotFound`](super::StoreError::NotFound) when it is not there,
    /// [`StoreError::Conflict`](super::StoreError::Conflict) when they are not what they were.
    async fn update_tenant(&self, from: &Tenant, to: &Tenant) -> StoreResult<()>;
    /// Tenants in order of their ids after `after`, at most `limit`.
    async fn tenants(&self, after: Option<TenantId>, limit: u32) -> StoreResult<Vec<Tenant>>;
    /// Adds a storage. [`StoreError::Conflict`] when the name is taken.
    async fn add_storage(&self, storage: &Storage) -> StoreResult<()>;
    /// Changes name and settings of a storage from what they were to what they are to be.
    /// [`StoreError::NotFound`](super::StoreError::NotFound) when it is not there,
    /// [`StoreError::Conflict`](super::StoreError::Conflict) when they are not what they were, or the name is taken.
    async fn update_storage(&self, from: &Storage, to: &Storage) -> StoreResult<()>;
    /// A storage by id.
    async fn storage(&self, tenant: TenantId, id: StorageId) -> StoreResult<Option<Storage>>;
    /// A storage by name.
    async fn storage_by_name(&self, tenant: TenantId, name: &str) -> StoreResult<Option<Storage>>;
    /// All storages of the tenant, by name.
    async fn storages(&self, tenant: TenantId) -> StoreResult<Vec<Storage>>;
    /// Storages of the tenant in order of their ids after `after`, at most `limit`.
    async fn page_of_storages(
        &self,
        tenant: TenantId,
        after: Option<StorageId>,
        limit: u32,
    ) -> StoreResult<Vec<Storage>>;
    /// Removes a storage that no plan uses; [`StoreError::Conflict`] otherwise.
    async fn remove_storage(&self, tenant: TenantId, id: StorageId) -> StoreResult<()>;
}
