//! Connects a place to write to.

use tintype_model::{
    TenantId,
    storage::{Storage, StorageSettings},
};
use tintype_ports::vault::{BucketKeys, Secret};

use crate::{App, AppError, AppResult};

/// A destination to connect.
#[derive(Debug, Clone)]
pub struct NewDestination {
    /// Its name: 1 to 100 characters, unique for the tenant.
    pub name: String,
    /// Where it is.
    pub settings: StorageSettings,
    /// Keys: required for a bucket.
    pub keys: Option<BucketKeys>,
}

impl App {
    /// Connects the destination; whether it can be written to shows when a plan is made.
    ///
    /// # Errors
    /// A bad or taken name, missing keys, or a store or vault that fails.
    pub async fn connect_destination(
        &self,
        tenant: TenantId,
        new: NewDestination,
    ) -> AppResult<Storage> {
        let storage = self.new_storage(tenant, &new.name, new.settings).await?;
        let secret = match (&storage.settings, new.keys) {
            (StorageSettings::GooglePhotos(_), _) => {
                return Err(AppError::Invalid(
                    "destination: a backup cannot be written to google photos".into(),
                ));
            }
            (StorageSettings::S3(_), None) => {
                return Err(AppError::Invalid(
                    "keys: a bucket needs an access key id and a secret access key".into(),
                ));
            }
            (StorageSettings::S3(_), Some(keys)) => Some(Secret::S3 {
                access_key_id: keys.access_key_id,
                secret_access_key: keys.secret_access_key,
            }),
            (StorageSettings::LocalFolder { path }, _) if !path.is_absolute() => {
                return Err(AppError::Invalid(format!(
                    "path: {} is not absolute; write it from the root",
                    path.display()
                )));
            }
            (StorageSettings::LocalFolder { .. }, _) => None,
        };
        let sealed = secret.is_some();
        if let Some(secret) = secret {
            self.ports.vault.put(tenant, storage.id, secret).await?;
        }
        if let Err(error) = self.ports.store.add_storage(&storage).await {
            if sealed {
                self.ports.vault.delete(tenant, storage.id).await?;
            }
            return Err(error.into());
        }
        Ok(storage)
    }
}
