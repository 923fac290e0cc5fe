//! Plans, and when they are due.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tintype_model::{PlanId, TenantId, plan::Plan};

use super::StoreResult;

/// Plans.
#[async_trait]
pub trait Plans: Send + Sync {
    /// Adds a plan, which is due first at `next_due`. [`StoreError::Conflict`](super::StoreError::Conflict) when the name is
    /// taken; [`StoreError::NotFound`](super::StoreError::NotFound) when a storage is not the tenant's.
    async fn add_plan(&self, plan: &Plan, next_due: Option<DateTime<Utc>>) -> StoreResult<()>;
    /// Changes name and schedule of a plan from what they were to what they are to be, and the next time it is due.
    /// [`StoreError::NotFound`](super::StoreError::NotFound) when it is not there,
    /// [`StoreError::Conflict`](super::StoreError::Conflict) when they are not what they were, or the name is taken.
    async fn update_plan(
        &self,
        from: &Plan,
        to: &Plan,
        next_due: Option<DateTime<Utc>>,
    ) -> StoreResult<()>;
    /// A plan by id.
    async fn plan(&self, tenant: TenantId, id: PlanId) -> StoreResult<Option<Plan>>;
    /// A plan by name.
    async fn plan_by_name(&self, tenant: TenantId, name: &str) -> StoreResult<Option<Plan>>;
    /// All plans of the tenant, by name.
    async fn plans(&self, tenant: TenantId) -> StoreResult<Vec<Plan>>;
    /// Plans of the tenant in order of their ids after `after`, at most `limit`.
    async fn page_of_plans(
        &self,
        tenant: TenantId,
        after: Option<PlanId>,
        limit: u32,
    ) -> StoreResult<Vec<Plan>>;
    /// Plans of all tenants whose time has come by the database's clock, longest due first, with that time.
    async fn due_plans(&self, limit: u32) -> StoreResult<Vec<(Plan, DateTime<Utc>)>>;
    /// Moves a plan's next time from `from` on to `to`; `false` when somebody else did so already.
    async fn move_due(
        &self,
        plan: &Plan,
        from: DateTime<Utc>,
        to: Option<DateTime<Utc>>,
    ) -> StoreResult<bool>;
}
