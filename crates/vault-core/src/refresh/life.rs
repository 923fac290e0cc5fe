//! A refresh token is used for its own sake, so that it does not die of idleness. Nothing is handed out.

use std::sync::Arc;

use tintype_ports::{
    VaultError,
    vault::{Grant, SecretInfo},
};

use super::{MAX_ROUNDS, Purpose, Round, WAIT, fetch, unavailable};
use crate::{Inner, error::database};

/// See [`tintype_ports::Vault::keep_alive`]. It waits its turn as every refresh does: whoever finds that another one has used the
/// token meanwhile leaves it alone.
pub(crate) async fn keep_alive(
    vault: &Arc<Inner>,
    grant: &Grant,
) -> Result<SecretInfo, VaultError> {
    vault.keys.ready()?;
    let owner = (grant.tenant, grant.storage);
    for _ in 0..MAX_ROUNDS {
        let slot = vault.slots.of(owner, vault.now().await?);
        let locked = tokio::time::timeout(WAIT, slot.lock_owned()).await;
        let mut slot = locked.map_err(|_| unavailable("another refresh takes too long"))?;
        // In a task of its own: a caller that goes away must not lose a refresh token that Google just replaced.
        let (task_vault, task_grant) = (Arc::clone(vault), grant.clone());
        let fetched = tokio::spawn(async move {
            fetch(&task_vault, &mut slot, &task_grant, &Purpose::Life).await
        });
        let fetched = fetched.await;
        match fetched.map_err(|_| unavailable("the refresh was broken off"))? {
            Ok(()) => return vault.info(grant).await,
            Err(Round::Again) => {}
            Err(Round::Failed(error)) => return Err(vault.logged_refusal(grant, error).await),
        }
    }
    Err(unavailable("the credential keeps changing"))
}

impl Inner {
    /// What anybody may know of the credential that a grant is for.
    async fn info(&self, grant: &Grant) -> Result<SecretInfo, VaultError> {
        let read = async {
            let mut tx = self.db.read().await.map_err(database)?;
            let row = tx.credential(grant.tenant, grant.storage).await;
            tx.rollback().await.map_err(database)?;
            let row = row.map_err(database)?.ok_or(VaultError::NotFound)?;
            Ok(row.info())
        };
        self.within(read).await
    }
}
