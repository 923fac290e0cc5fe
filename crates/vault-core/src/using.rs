//! The vault for those who use it: see [`tintype_ports::Vault`].

use async_trait::async_trait;
use secrecy::SecretString;
use tintype_model::{StorageId, TenantId};
use tintype_ports::{
    Vault, VaultError,
    vault::{
        AccessToken, AuditEntry, BucketKeys, Grant, Secret, SecretInfo, SignInAnswer, SignInPage,
        SignInRequest, SignedIn,
    },
};

use crate::{
    Inner, VaultCore,
    audit::{self, Expected, NewEntry, Outcome},
    error::database,
    records, refresh, sign_in, signing,
};

/// A credential that changes more often than this under one call is trouble of its own.
const MAX_ROUNDS: usize = 3;

#[async_trait]
impl Vault for VaultCore {
    async fn put(
        &self,
        tenant: TenantId,
        storage: StorageId,
        secret: Secret,
    ) -> Result<SecretInfo, VaultError> {
        let inner = &self.inner;
        inner.keys.ready()?;
        check(&secret)?;
        let now = inner.now().await?;
        let put = async {
            let mut held = inner.hold_or_create(tenant).await?;
            let entry = NewEntry::of_keeper(tenant, Some(storage), "put", "credential", now);
            let number = held.append(&entry).await?;
            let keys = held.keys.clone();
            let row = records::new_row(&held.row, storage, number, secret, keys.data()?)?;
            held.tx.put_credential(&row).await.map_err(database)?;
            held.commit().await?;
            Ok(row.info())
        };
        let info = inner.within(put).await?;
        inner.slots.forget((tenant, storage));
        Ok(info)
    }

    async fn describe(
        &self,
        tenant: TenantId,
        storage: StorageId,
    ) -> Result<Option<SecretInfo>, VaultError> {
        let read = async {
            let mut tx = self.inner.db.read().await.map_err(database)?;
            let row = tx.credential(tenant, storage).await.map_err(database)?;
            tx.rollback().await.map_err(database)?;
            Ok(row.map(|row| row.info()))
        };
        self.inner.within(read).await
    }

    async fn access_token(
        &self,
        grant: &Grant,
        rejected: Option<&AccessToken>,
    ) -> Result<AccessToken, VaultError> {
        refresh::access_token(&self.inner, grant, rejected).await
    }

    async fn keep_alive(&self, grant: &Grant) -> Result<SecretInfo, VaultError> {
        refresh::keep_alive(&self.inner, grant).await
    }

    async fn bucket_keys(&self, grant: &Grant) -> Result<BucketKeys, VaultError> {
        let inner = &self.inner;
        inner.keys.ready()?;
        for _ in 0..MAX_ROUNDS {
            let (keys, generation) = match bucket_keys(inner, grant).await {
                Ok(found) => found,
                Err(error) => return Err(inner.logged_refusal(grant, error).await),
            };
            let expected = Expected {
                generation,
                access_number: None,
            };
            let entry = NewEntry::of_grant(grant, "reveal", inner.now().await?);
            match inner.log.record(entry, Some(expected)).await? {
                Outcome::Recorded => return Ok(keys),
                Outcome::Stale => {}
            }
        }
        Err(VaultError::Unavailable(
            "the credential keeps changing".to_owned(),
        ))
    }

    async fn sign(&self, grant: &Grant, message: &[u8]) -> Result<[u8; 64], VaultError> {
        let pair = self.inner.key_pair(grant).await?;
        let signature = signing::sign(&pair, message)?;
        self.inner.record(grant, "sign").await?;
        Ok(signature)
    }

    async fn signing_key(&self, grant: &Grant) -> Result<[u8; 32], VaultError> {
        let pair = self.inner.key_pair(grant).await?;
        self.inner.record(grant, "reveal").await?;
        signing::public_half(&pair)
    }

    async fn begin_sign_in(
        &self,
        tenant: TenantId,
        storage: StorageId,
        request: SignInRequest,
    ) -> Result<SignInPage, VaultError> {
        sign_in::begin(&self.inner, tenant, storage, request).await
    }

    async fn finish_sign_in(
        &self,
        state: &SecretString,
        answer: SignInAnswer,
    ) -> Result<SignedIn, VaultError> {
        sign_in::finish(&self.inner, state, answer).await
    }

    async fn disconnect(&self, tenant: TenantId, storage: StorageId) -> Result<(), VaultError> {
        self.inner.give_back(tenant, storage).await?;
        self.delete(tenant, storage).await
    }

    async fn delete(&self, tenant: TenantId, storage: StorageId) -> Result<(), VaultError> {
        let inner = &self.inner;
        inner.keys.ready()?;
        let now = inner.now().await?;
        let delete = async {
            let mut held = inner.hold_living(tenant).await?;
            let is_gone = held.tx.delete_credential(tenant, storage).await;
            if !is_gone.map_err(database)? {
                return Err(VaultError::NotFound);
            }
            let entry = NewEntry::of_keeper(tenant, Some(storage), "delete", "credential", now);
            held.append(&entry).await?;
            held.commit().await
        };
        inner.within(delete).await?;
        inner.slots.forget((tenant, storage));
        Ok(())
    }

    async fn audit_log(
        &self,
        tenant: TenantId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, VaultError> {
        let read = async {
            let mut tx = self.inner.db.read().await.map_err(database)?;
            let page = audit::page(&mut tx, tenant, after, limit).await;
            tx.rollback().await.map_err(database)?;
            page.map_err(database)
        };
        self.inner.within(read).await
    }
}

impl Inner {
    /// Ends an account's grant at Google.
    async fn give_back(&self, tenant: TenantId, storage: StorageId) -> Result<(), VaultError> {
        self.keys.ready()?;
        let grant = Grant {
            tenant,
            storage,
            run: None,
            purpose: "at google".to_owned(),
        };
        let (row, key_version, keys) = self.read(&grant).await?;
        let opened = row.open(keys.data()?, key_version)?;
        let Some(token) = opened.refresh_token else {
            return Ok(());
        };
        self.record(&grant, "revoke").await?;
        let revoked = tokio::time::timeout(self.refresh_lease, self.google.revoke(&token)).await;
        match revoked {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                let why = refresh::scrub(&error.to_string(), &[&token]);
                Err(VaultError::Unavailable(why))
            }
            Err(_) => Err(VaultError::Unavailable(
                "google does not answer, so its grant is not ended".to_owned(),
            )),
        }
    }

    async fn key_pair(
        &self,
        grant: &Grant,
    ) -> Result<aws_lc_rs::signature::Ed25519KeyPair, VaultError> {
        self.keys.ready()?;
        match self.within(signing::key_pair(self, grant)).await {
            Ok(pair) => Ok(pair),
            Err(error) => Err(self.logged_refusal(grant, error).await),
        }
    }
}

async fn bucket_keys(vault: &Inner, grant: &Grant) -> Result<(BucketKeys, i64), VaultError> {
    let (row, key_version, keys) = vault.read(grant).await?;
    let opened = row.open(keys.data()?, key_version)?;
    if row.kind != records::S3 {
        return Err(VaultError::WrongKind);
    }
    if let Some(refusal) = row.refusal() {
        return Err(VaultError::Refused(refusal));
    }
    let keys = BucketKeys {
        access_key_id: row.public_id,
        secret_access_key: opened.secret,
    };
    Ok((keys, row.generation))
}

/// The public part stands in the database and in answers as it is.
pub(crate) fn check(secret: &Secret) -> Result<(), VaultError> {
    let public = match secret {
        Secret::Google { client_id, .. } => client_id,
        Secret::S3 { access_key_id, .. } => access_key_id,
    };
    if public.chars().any(char::is_control) {
        let text = "the client id or access key id holds a control character; copy it again";
        return Err(VaultError::Denied(text.to_owned()));
    }
    Ok(())
}
