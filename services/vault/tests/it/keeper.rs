//! A real vault on a database file, with switches: sealed, hanging, slow, keys that wait for a rewrap.

use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use secrecy::SecretString;
use tintype_model::{StorageId, TenantId};
use tintype_ports::{
    Vault, VaultError, VaultKeeper,
    contract::vault::FakeGoogle,
    fake::{ManualClock, SeededEntropy},
    vault::{
        AccessToken, AuditEntry, BucketKeys, Grant, KeyStanding, Refusal, RefusedBy, Secret,
        SecretInfo, SignInAnswer, SignInPage, SignInRequest, SignedIn,
    },
};
use tintype_vault_core::{KeyRing, VaultCore};
use tokio::sync::Semaphore;

type Place = (TenantId, StorageId);

pub(crate) struct SwitchedKeeper {
    core: VaultCore,
    sealed: Mutex<Option<String>>,
    revoked: Mutex<HashMap<Place, String>>,
    /// While set, nothing is answered unless a permit is there.
    pub(crate) holds: AtomicBool,
    pub(crate) release: Semaphore,
    /// Calls that came as far as the keeper.
    pub(crate) calls: AtomicUsize,
    pub(crate) waiting: AtomicU64,
    pub(crate) rewraps: AtomicUsize,
}

impl SwitchedKeeper {
    pub(crate) async fn open(
        path: &Path,
        google: Arc<FakeGoogle>,
        clock: Arc<ManualClock>,
    ) -> Arc<Self> {
        let ring = KeyRing::generate().unwrap();
        let entropy = Arc::new(SeededEntropy::new(tintype_testkit::seed()));
        let core = VaultCore::open(path, ring, google, clock, entropy)
            .await
            .unwrap();
        Arc::new(Self {
            core,
            sealed: Mutex::default(),
            revoked: Mutex::default(),
            holds: AtomicBool::new(false),
            release: Semaphore::new(0),
            calls: AtomicUsize::new(0),
            waiting: AtomicU64::new(0),
            rewraps: AtomicUsize::new(0),
        })
    }

    pub(crate) fn seal(&self, reason: Option<&str>) {
        *self.sealed.lock().unwrap() = reason.map(str::to_owned);
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    async fn pass(&self) -> Result<&VaultCore, VaultError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.holds.load(Ordering::SeqCst) {
            self.release.acquire().await.unwrap().forget();
        }
        let sealed = self.sealed.lock().unwrap().clone();
        match sealed {
            Some(reason) => Err(VaultError::Locked(reason)),
            None => Ok(&self.core),
        }
    }

    fn standing(&self) -> KeyStanding {
        KeyStanding {
            newest: 2,
            in_use: vec![1, 2],
            waiting: self.waiting.load(Ordering::SeqCst),
            failed: 0,
        }
    }
}

#[async_trait]
impl Vault for SwitchedKeeper {
    async fn put(
        &self,
        tenant: TenantId,
        storage: StorageId,
        secret: Secret,
    ) -> Result<SecretInfo, VaultError> {
        let info = self.pass().await?.put(tenant, storage, secret).await?;
        self.revoked.lock().unwrap().remove(&(tenant, storage));
        Ok(info)
    }

    async fn describe(
        &self,
        tenant: TenantId,
        storage: StorageId,
    ) -> Result<Option<SecretInfo>, VaultError> {
        self.pass().await?.describe(tenant, storage).await
    }

    async fn access_token(
        &self,
        grant: &Grant,
        rejected: Option<&AccessToken>,
    ) -> Result<AccessToken, VaultError> {
        let core = self.pass().await?;
        let place = (grant.tenant, grant.storage);
        if let Some(reason) = self.revoked.lock().unwrap().get(&place) {
            return Err(VaultError::Refused(by_keeper(reason)));
        }
        core.access_token(grant, rejected).await
    }

    async fn keep_alive(&self, grant: &Grant) -> Result<SecretInfo, VaultError> {
        self.pass().await?.keep_alive(grant).await
    }

    async fn bucket_keys(&self, grant: &Grant) -> Result<BucketKeys, VaultError> {
        self.pass().await?.bucket_keys(grant).await
    }

    async fn sign(&self, grant: &Grant, message: &[u8]) -> Result<[u8; 64], VaultError> {
        self.pass().await?.sign(grant, message).await
    }

    async fn signing_key(&self, grant: &Grant) -> Result<[u8; 32], VaultError> {
        self.pass().await?.signing_key(grant).await
    }

    async fn begin_sign_in(
        &self,
        tenant: TenantId,
        storage: StorageId,
        request: SignInRequest,
    ) -> Result<SignInPage, VaultError> {
        let core = self.pass().await?;
        core.begin_sign_in(tenant, storage, request).await
    }

    async fn finish_sign_in(
        &self,
        state: &SecretString,
        answer: SignInAnswer,
    ) -> Result<SignedIn, VaultError> {
        self.pass().await?.finish_sign_in(state, answer).await
    }

    async fn disconnect(&self, tenant: TenantId, storage: StorageId) -> Result<(), VaultError> {
        self.pass().await?.disconnect(tenant, storage).await
    }

    async fn delete(&self, tenant: TenantId, storage: StorageId) -> Result<(), VaultError> {
        self.pass().await?.delete(tenant, storage).await
    }

    async fn audit_log(
        &self,
        tenant: TenantId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, VaultError> {
        self.pass().await?.audit_log(tenant, after, limit).await
    }
}

fn by_keeper(reason: &str) -> Refusal {
    Refusal {
        by: RefusedBy::Keeper,
        reason: reason.to_owned(),
    }
}

#[async_trait]
impl VaultKeeper for SwitchedKeeper {
    async fn rotate(
        &self,
        tenant: TenantId,
        storage: StorageId,
        expected_version: Option<i64>,
        secret: Secret,
    ) -> Result<SecretInfo, VaultError> {
        let known = self.describe(tenant, storage).await?;
        let known = known.ok_or(VaultError::NotFound)?;
        if expected_version.is_some_and(|version| version != known.version) {
            return Err(VaultError::Changed);
        }
        self.put(tenant, storage, secret).await
    }

    async fn revoke(
        &self,
        tenant: TenantId,
        storage: StorageId,
        reason: &str,
    ) -> Result<SecretInfo, VaultError> {
        let known = self.describe(tenant, storage).await?;
        let known = known.ok_or(VaultError::NotFound)?;
        let mut revoked = self.revoked.lock().unwrap();
        revoked.insert((tenant, storage), reason.to_owned());
        Ok(SecretInfo {
            refused: Some(by_keeper(reason)),
            ..known
        })
    }

    async fn key_standing(&self) -> Result<KeyStanding, VaultError> {
        Ok(self.standing())
    }

    async fn rewrap(&self, limit: u32) -> Result<KeyStanding, VaultError> {
        self.rewraps.fetch_add(1, Ordering::SeqCst);
        let left = self.standing().waiting.saturating_sub(u64::from(limit));
        self.waiting.store(left, Ordering::SeqCst);
        Ok(self.standing())
    }

    async fn rotate_tenant_key(&self, tenant: TenantId) -> Result<(), VaultError> {
        self.pass().await?.rotate_tenant_key(tenant).await
    }

    async fn destroy_tenant(&self, tenant: TenantId) -> Result<(), VaultError> {
        self.pass().await?.destroy_tenant(tenant).await
    }

    async fn verify_audit_log(&self, tenant: TenantId) -> Result<i64, VaultError> {
        let head = self.pass().await?.verify_audit(tenant).await;
        let head = head.map_err(|fault| VaultError::Audit(Box::new(fault)))?;
        Ok(head.count)
    }

    async fn sealed(&self) -> Option<String> {
        self.sealed.lock().unwrap().clone()
    }
}
