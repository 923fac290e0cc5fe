//! Connecting an account by signing in at Google, and doing so again.

use secrecy::SecretString;
use tintype_model::{
    StorageId, TenantId,
    credential::ClientId,
    storage::{GooglePhotosSettings, GoogleScope, Storage, StorageSettings},
};
use tintype_ports::vault::{OAuthClient, SignInAnswer, SignInPage, SignInRequest};

use crate::{App, AppError, AppResult};

/// Somebody has signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    /// The storage that has a credential now.
    pub storage: Storage,
    /// What its options need and the person did not allow.
    pub missing: Vec<GoogleScope>,
}

impl App {
    /// Adds an account that has no credential yet, and says where the person signs in for it. `client` is checked before.
    ///
    /// # Errors
    /// A bad or taken name, settings that make no sense, or a store or vault that fails. Nothing is stored then.
    pub async fn connect_by_sign_in(
        &self,
        tenant: TenantId,
        name: &str,
        client: OAuthClient,
        settings: GooglePhotosSettings,
        redirect_uri: String,
    ) -> AppResult<(Storage, SignInPage)> {
        let request = SignInRequest {
            client: Some(client),
            redirect_uri,
            scopes: settings.asked_scopes(),
            other_account: false,
        };
        let settings = StorageSettings::GooglePhotos(settings);
        let storage = self.new_storage(tenant, name, settings).await?;
        self.ports.store.add_storage(&storage).await?;
        let vault = &self.ports.vault;
        match vault.begin_sign_in(tenant, storage.id, request).await {
            Ok(page) => Ok((storage, page)),
            Err(error) => {
                self.ports.store.remove_storage(tenant, storage.id).await?;
                Err(error.into())
            }
        }
    }

    /// Says where the person signs in for an account that is there. Without a `client` it is that of the credential.
    ///
    /// # Errors
    /// The storage is not there or no Google Photos account, the client is of another cloud project than the storage's, or the
    /// vault fails.
    pub async fn sign_in_again(
        &self,
        tenant: TenantId,
        storage: StorageId,
        client: Option<OAuthClient>,
        redirect_uri: String,
        other_account: bool,
    ) -> AppResult<SignInPage> {
        let settings = self.account_settings(tenant, storage).await?;
        if other_account {
            self.refuse_exchange(tenant, storage).await?;
        }
        if let Some(client) = &client {
            refuse_other_project(&settings, &client.id)?;
        }
        let request = SignInRequest {
            client,
            redirect_uri,
            scopes: settings.asked_scopes(),
            other_account,
        };
        let vault = &self.ports.vault;
        Ok(vault.begin_sign_in(tenant, storage, request).await?)
    }

    /// The person came back. Runs that waited for a credential go on.
    ///
    /// # Errors
    /// Nothing came of it: the vault says why, and the storage has what it had.
    pub async fn finish_sign_in(
        &self,
        state: &SecretString,
        answer: SignInAnswer,
    ) -> AppResult<Connected> {
        let vault = &self.ports.vault;
        let signed_in = vault.finish_sign_in(state, answer).await?;
        let (tenant, id) = (signed_in.tenant, signed_in.storage);
        let storage = match self.storage(tenant, id).await {
            Err(error @ AppError::NotFound(_)) => {
                // It was removed meanwhile.
                vault.delete(tenant, id).await?;
                return Err(error);
            }
            found => found?,
        };
        let StorageSettings::GooglePhotos(settings) = &storage.settings else {
            return Err(not_an_account());
        };
        let granted = &signed_in.info.scopes;
        let needed = settings.scopes().iter();
        let missing = needed.filter(|scope| !scope.is_in(granted)).copied();
        let missing = missing.collect();
        self.wake_waiting(tenant, id).await?;
        Ok(Connected { storage, missing })
    }

    /// Gives the account's grant back to Google and forgets the credential. Plans stay; their runs wait for a new one.
    ///
    /// # Errors
    /// The storage is not there, is no Google Photos account or has no credential, or Google does not answer: then everything
    /// is as it was.
    pub async fn disconnect(&self, tenant: TenantId, storage: StorageId) -> AppResult<()> {
        self.account_settings(tenant, storage).await?;
        Ok(self.ports.vault.disconnect(tenant, storage).await?)
    }

    /// Removes a storage that no plan uses, after an account's grant was given back to Google.
    ///
    /// # Errors
    /// The storage is not there or a plan uses it, or Google does not answer.
    pub async fn remove_storage(&self, tenant: TenantId, storage: StorageId) -> AppResult<()> {
        self.storage(tenant, storage).await?;
        let plans = self.ports.store.plans(tenant).await?;
        let uses = |plan: &&tintype_model::plan::Plan| {
            plan.source == storage || plan.destination == storage
        };
        if let Some(plan) = plans.iter().find(uses) {
            return Err(AppError::Conflict(format!(
                "the plan {:?} uses this storage",
                plan.name
            )));
        }
        match self.ports.vault.disconnect(tenant, storage).await {
            // There was no credential, or never one.
            Ok(()) | Err(tintype_ports::VaultError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(self.ports.store.remove_storage(tenant, storage).await?)
    }

    /// The settings of a storage that must be an account.
    pub(super) async fn account_settings(
        &self,
        tenant: TenantId,
        storage: StorageId,
    ) -> AppResult<GooglePhotosSettings> {
        match self.storage(tenant, storage).await?.settings {
            StorageSettings::GooglePhotos(settings) => Ok(settings),
            StorageSettings::LocalFolder { .. } | StorageSettings::S3(_) => Err(not_an_account()),
        }
    }
}

fn not_an_account() -> AppError {
    AppError::Invalid("storage: only a google photos storage can be authorised and tested".into())
}

/// Google counts quota for the client's project, and a storage's calls are counted for one project only.
pub(super) fn refuse_other_project(
    settings: &GooglePhotosSettings,
    client_id: &str,
) -> AppResult<()> {
    let client = ClientId::parse(client_id);
    let client = client.map_err(|error| AppError::Invalid(error.to_string()))?;
    if settings.project == *client.project() {
        return Ok(());
    }
    Err(AppError::Invalid(format!(
        "client_id: belongs to cloud project {}, the storage to {}; connect a new storage for another project",
        client.project(),
        settings.project
    )))
}
