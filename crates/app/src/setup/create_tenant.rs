//! Makes a tenant.

use tintype_model::{TenantId, storage::checked_name, tenant::Tenant};

use crate::{App, AppError, AppResult};

/// No tenant weighs more than so many others.
pub(super) const HEAVIEST: u32 = 1_000;

/// A tenant to make.
#[derive(Debug, Clone)]
pub struct NewTenant {
    /// Its name: 1 to 100 characters.
    pub name: String,
    /// Its share of what is scarce, relative to the others; 1 to 1,000.
    pub weight: u32,
    /// Shards of it that are worked on at the same time, at most; `None`: no cap of its own.
    pub max_shards: Option<u32>,
}

impl NewTenant {
    /// The name as it is kept.
    pub(super) fn checked(&self) -> AppResult<String> {
        let name = checked_name(&self.name)?;
        if !(1..=HEAVIEST).contains(&self.weight) {
            return Err(AppError::Invalid(format!(
                "weight: {} is not between 1 and {HEAVIEST}",
                self.weight
            )));
        }
        if self.max_shards == Some(0) {
            return Err(AppError::Invalid(
                "max_shards: 0 would never do anything; leave it out for no cap".into(),
            ));
        }
        Ok(name)
    }
}

impl App {
    /// Makes the tenant.
    ///
    /// # Errors
    /// A bad name, weight or cap, or a store that fails.
    pub async fn create_tenant(&self, new: NewTenant) -> AppResult<Tenant> {
        let name = new.checked()?;
        let now = self.ports.clock.now();
        let tenant = Tenant {
            id: TenantId::new(now, self.ports.entropy.id_bytes()),
            name,
            weight: new.weight,
            max_shards: new.max_shards,
            created_at: now,
        };
        self.ports.store.add_tenant(&tenant).await?;
        Ok(tenant)
    }
}
