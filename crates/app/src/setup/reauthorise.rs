//! Replaces the credential of a Google Photos storage and lets the runs go on that waited for it.

use std::sync::Arc;

use secrecy::SecretString;
use tintype_model::{
    StorageId, TenantId,
    item::ProviderId,
    plan::Plan,
    quota::CloudProject,
    run::{RunEvent, RunState},
};
use tintype_ports::{
    PhotoError,
    photos::Persistence,
    vault::{Grant, OAuthClient, Secret},
};

use super::sign_in::refuse_other_project;
use crate::{App, AppError, AppResult, worker::gate::Gate};

/// Items that are looked for with a new credential: Google's limit for one call.
const LOOKED_FOR: usize = 50;
/// Items of a plan among which known ones are sought.
const AMONG: u32 = 500;

impl App {
    /// Puts a new credential in place. Runs that waited for it resume where they were. Whose a token is nobody says; but a token
    /// that sees nothing of what is known of the account is somebody else's, and taken only where `other_account` says so.
    ///
    /// # Errors
    /// The storage is not there or no Google Photos account, the client is of another cloud project than the storage's
    /// (Google would count its calls there), the token is of another account, or store or vault fail.
    pub async fn reauthorise(
        &self,
        tenant: TenantId,
        storage: StorageId,
        client: OAuthClient,
        refresh_token: SecretString,
        other_account: bool,
    ) -> AppResult<()> {
        let settings = self.account_settings(tenant, storage).await?;
        refuse_other_project(&settings, &client.id)?;
        let secret = Secret::Google {
            client_id: client.id,
            client_secret: client.secret,
            refresh_token,
        };
        if other_account {
            self.refuse_exchange(tenant, storage).await?;
        } else {
            self.refuse_stranger(tenant, storage, &settings.project, &secret)
                .await?;
        }
        self.ports.vault.put(tenant, storage, secret).await?;
        self.wake_waiting(tenant, storage).await
    }

    /// Another account may take the place of one that is only read. What was uploaded to one is not in another, though its plans
    /// would go on as if it were.
    pub(super) async fn refuse_exchange(
        &self,
        tenant: TenantId,
        storage: StorageId,
    ) -> AppResult<()> {
        let plans = self.ports.store.plans(tenant).await?;
        match plans.iter().find(|plan| plan.destination == storage) {
            Some(plan) => Err(AppError::Conflict(format!(
                "the plan {:?} uploads to this account, so no other one can take its place; connect the other one as a storage of its own",
                plan.name
            ))),
            None => Ok(()),
        }
    }

    async fn refuse_stranger(
        &self,
        tenant: TenantId,
        storage: StorageId,
        project: &CloudProject,
        secret: &Secret,
    ) -> AppResult<()> {
        let known = self.known_at_google(tenant, storage).await?;
        if known.is_empty() {
            return Ok(());
        }
        let nowhere = StorageId::new(self.ports.clock.now(), self.ports.entropy.id_bytes());
        let vault = &self.ports.vault;
        vault.put(tenant, nowhere, secret.clone()).await?;
        let grant = Grant {
            tenant,
            storage: nowhere,
            run: None,
            purpose: "test".into(),
        };
        let gate = Arc::new(Gate::new(self, grant, project.clone()));
        let source = self.ports.sources.open(gate, Persistence::Once);
        let answers = source.items(&known).await;
        vault.delete(tenant, nowhere).await?;
        // Google that does not answer, or refuses the token, says nothing of whose it is.
        let sees_nothing = answers.is_ok_and(|answers| {
            let is_unknown = |it| matches!(it, &Err(PhotoError::ItemNotFound));
            !answers.is_empty() && answers.iter().all(is_unknown)
        });
        if sees_nothing {
            return Err(AppError::Conflict(
                "the token sees nothing of what is known of this account: it is of another Google account, or of another OAuth client; connect it as a storage of its own".into(),
            ));
        }
        Ok(())
    }

    /// Some items that the account has, as far as its plans know.
    async fn known_at_google(
        &self,
        tenant: TenantId,
        storage: StorageId,
    ) -> AppResult<Vec<ProviderId>> {
        let store = &self.ports.store;
        for plan in store.plans(tenant).await? {
            let ids: Vec<ProviderId> = if plan.source == storage {
                let present = store.present(tenant, plan.id, None, AMONG).await?;
                let ids = present.into_iter().map(|(_, id)| id);
                // What was picked is not the app's to see.
                ids.filter(|id| id.as_picked().is_none()).collect()
            } else if plan.destination == storage {
                let items = store.items(tenant, plan.id, None, AMONG).await?;
                let uploaded = items.into_iter().filter_map(|item| item.content);
                uploaded.filter_map(|it| it.path.parse().ok()).collect()
            } else {
                continue;
            };
            if !ids.is_empty() {
                return Ok(ids.into_iter().take(LOOKED_FOR).collect());
            }
        }
        Ok(Vec::new())
    }

    /// Runs that waited for a credential of this storage go on.
    pub(super) async fn wake_waiting(&self, tenant: TenantId, storage: StorageId) -> AppResult<()> {
        let plans = self.ports.store.plans(tenant).await?;
        let needs = |plan: &&Plan| plan.source == storage || plan.destination == storage;
        for plan in plans.iter().filter(needs) {
            for run in self.ports.store.runs(tenant, plan.id, 1).await? {
                if run.status.state == RunState::WaitingAuth {
                    self.change_run(tenant, run.id, &RunEvent::Resumed).await?;
                }
            }
        }
        self.ports.bell.ring();
        Ok(())
    }
}
