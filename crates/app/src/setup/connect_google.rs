//! Connects a Google Photos account from credentials that were parsed and checked before.

use secrecy::SecretString;
use tintype_model::{
    StorageId, TenantId,
    storage::{GooglePhotosSettings, Storage, StorageSettings, checked_name},
};
use tintype_ports::vault::Secret;

use crate::{App, AppError, AppResult};

/// A Google Photos account to connect.
#[derive(Debug, Clone)]
pub struct NewGoogleStorage {
    /// Its name: 1 to 100 characters, unique for the tenant.
    pub name: String,
    /// OAuth client id, already parsed.
    pub client_id: String,
    /// OAuth client secret.
    pub client_secret: SecretString,
    /// Refresh token.
    pub refresh_token: SecretString,
    /// Options.
    pub settings: GooglePhotosSettings,
}

impl App {
    /// Connects the account. Nothing is stored when anything is wrong.
    ///
    /// # Errors
    /// A bad or taken name, or a store or vault that fails.
    pub async fn connect_google(
        &self,
        tenant: TenantId,
        new: NewGoogleStorage,
    ) -> AppResult<Storage> {
        let settings = StorageSettings::GooglePhotos(new.settings);
        let storage = self.new_storage(tenant, &new.name, settings).await?;
        let secret = Secret::Google {
            client_id: new.client_id,
            client_secret: new.client_secret,
            refresh_token: new.refresh_token,
        };
        // The secret goes first: a storage never stands without one. A secret without a storage is out of reach.
        self.ports.vault.put(tenant, storage.id, secret).await?;
        if let Err(error) = self.ports.store.add_storage(&storage).await {
            self.ports.vault.delete(tenant, storage.id).await?;
            return Err(error.into());
        }
        Ok(storage)
    }

    /// A storage that is not stored yet, after a look at its name and its settings.
    pub(super) async fn new_storage(
        &self,
        tenant: TenantId,
        name: &str,
        settings: StorageSettings,
    ) -> AppResult<Storage> {
        let name = checked_name(name)?;
        self.refuse_taken_name(tenant, &name).await?;
        let now = self.ports.clock.now();
        if let StorageSettings::GooglePhotos(settings) = &settings {
            settings.check(now)?;
        }
        Ok(Storage {
            id: StorageId::new(now, self.ports.entropy.id_bytes()),
            tenant,
            name,
            settings,
            created_at: now,
        })
    }

    pub(crate) async fn refuse_taken_name(&self, tenant: TenantId, name: &str) -> AppResult<()> {
        match self.ports.store.storage_by_name(tenant, name).await? {
            Some(_) => Err(AppError::Invalid(format!(
                "name: there is a storage called {name:?} already; choose another"
            ))),
            None => Ok(()),
        }
    }
}
