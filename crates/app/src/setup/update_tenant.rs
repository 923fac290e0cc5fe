//! Changes a tenant's name, weight and cap.

use tintype_model::{TenantId, tenant::Tenant};

use super::NewTenant;
use crate::{App, AppError, AppResult};

impl App {
    /// The tenant, which must be there.
    ///
    /// # Errors
    /// It is not there, or the store fails.
    pub async fn tenant(&self, id: TenantId) -> AppResult<Tenant> {
        let found = self.ports.store.tenant(id).await?;
        found.ok_or_else(|| AppError::NotFound(format!("tenant {id}")))
    }

    /// Gives the tenant, as it was read before, these properties. The scheduler heeds them from its next look on.
    ///
    /// # Errors
    /// The tenant is not there or was changed meanwhile, or a name, weight or cap is bad.
    pub async fn update_tenant(&self, from: &Tenant, to: NewTenant) -> AppResult<Tenant> {
        let name = to.checked()?;
        let tenant = Tenant {
            name,
            weight: to.weight,
            max_shards: to.max_shards,
            ..from.clone()
        };
        self.ports.store.update_tenant(from, &tenant).await?;
        self.ports.bell.ring();
        Ok(tenant)
    }
}
