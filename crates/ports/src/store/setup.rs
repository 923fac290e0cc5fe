//! Tenants, storages and plans.

use async_trait::async_trait;
use tintype_model::{PlanId, StorageId, TenantId, plan::Plan, storage::Storage, tenant::Tenant};

use super::StoreResult;

/// Tenants, storages and plans.
#[async_trait]
pub trait Setup: Send + Sync {
    /// Adds a tenant. [`StoreError::Conflict`] when the id exists.
    async fn add_tenant(&self, tenant: &Tenant) -> StoreResult<()>;
    /// A tenant by id.
    async fn tenant(&self, id: TenantId) -> StoreResult<Option<Tenant>>;
    /// A tenant by name, oldest first where several have it.
    async fn tenant_by_name(&self, name: &str) -> StoreResult<Option<Tenant>>;
    /// Adds a storage. [`StoreError::Conflict`] when the name is taken.
    async fn add_storage(&self, storage: &Storage) -> StoreResult<()>;
    /// Replaces name and settings of a storage.
    async fn update_storage(&self, storage: &Storage) -> StoreResult<()>;
    /// A storage by id.
    async fn storage(&self, tenant: TenantId, id: StorageId) -> StoreResult<Option<Storage>>;
    /// A storage by name.
    async fn storage_by_name(&self, tenant: TenantId, name: &str) -> StoreResult<Option<Storage>>;
    /// All storages of the tenant, by name.
    async fn storages(&self, tenant: TenantId) -> StoreResult<Vec<Storage>>;
    /// Removes a storage that no plan uses; [`StoreError::Conflict`] otherwise.
    async fn remove_storage(&self, tenant: TenantId, id: StorageId) -> StoreResult<()>;
    /// Adds a plan. [`StoreError::Conflict`] when the name is taken; [`StoreError::NotFound`] when a storage is not the tenant's.
    async fn add_plan(&self, plan: &Plan) -> StoreResult<()>;
    /// A plan by id.
    async fn plan(&self, tenant: TenantId, id: PlanId) -> StoreResult<Option<Plan>>;
    /// A plan by name.
    async fn plan_by_name(&self, tenant: TenantId, name: &str) -> StoreResult<Option<Plan>>;
    /// All plans that read from the storage, by name.
    async fn plans_from(&self, tenant: TenantId, source: StorageId) -> StoreResult<Vec<Plan>>;
}
