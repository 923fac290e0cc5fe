//! The port's promises hold through client, network and door; keepers' words too, error for error.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use secrecy::SecretString;
use tintype_model::{StorageId, TenantId};
use tintype_ports::{
    Vault, VaultError, VaultKeeper as _,
    contract::vault::{google_secret, grant, s3_secret, storage, suite, tenant},
    vault::{
        AccessToken, AuditEntry, BucketKeys, Grant, Refusal, RefusedBy, Secret, SecretInfo,
        SignInAnswer, SignInPage, SignInRequest, SignedIn,
    },
};
use tintype_vault_client::VaultClient;

use crate::{
    keeper::SwitchedKeeper,
    world::{Running, World},
};

/// Nobody may do everything: accounts are connected by the gateway, and used by workers.
struct Both {
    gateway: VaultClient,
    worker: VaultClient,
}

#[async_trait]
impl Vault for Both {
    async fn put(
        &self,
        tenant: TenantId,
        storage: StorageId,
        secret: Secret,
    ) -> Result<SecretInfo, VaultError> {
        self.gateway.put(tenant, storage, secret).await
    }

    async fn describe(
        &self,
        tenant: TenantId,
        storage: StorageId,
    ) -> Result<Option<SecretInfo>, VaultError> {
        self.gateway.describe(tenant, storage).await
    }

    async fn access_token(
        &self,
        grant: &Grant,
        rejected: Option<&AccessToken>,
    ) -> Result<AccessToken, VaultError> {
        self.worker.access_token(grant, rejected).await
    }

    async fn keep_alive(&self, grant: &Grant) -> Result<SecretInfo, VaultError> {
        self.worker.keep_alive(grant).await
    }

    async fn bucket_keys(&self, grant: &Grant) -> Result<BucketKeys, VaultError> {
        self.worker.bucket_keys(grant).await
    }

    async fn sign(&self, grant: &Grant, message: &[u8]) -> Result<[u8; 64], VaultError> {
        self.worker.sign(grant, message).await
    }

    async fn signing_key(&self, grant: &Grant) -> Result<[u8; 32], VaultError> {
        self.worker.signing_key(grant).await
    }

    async fn begin_sign_in(
        &self,
        tenant: TenantId,
        storage: StorageId,
        request: SignInRequest,
    ) -> Result<SignInPage, VaultError> {
        self.gateway.begin_sign_in(tenant, storage, request).await
    }

    async fn finish_sign_in(
        &self,
        state: &SecretString,
        answer: SignInAnswer,
    ) -> Result<SignedIn, VaultError> {
        self.gateway.finish_sign_in(state, answer).await
    }

    async fn disconnect(&self, tenant: TenantId, storage: StorageId) -> Result<(), VaultError> {
        self.gateway.disconnect(tenant, storage).await
    }

    async fn delete(&self, tenant: TenantId, storage: StorageId) -> Result<(), VaultError> {
        self.gateway.delete(tenant, storage).await
    }

    async fn audit_log(
        &self,
        tenant: TenantId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, VaultError> {
        self.gateway.audit_log(tenant, after, limit).await
    }
}

#[tokio::test]
async fn the_vault_keeps_every_promise_of_its_port_over_the_network() {
    let world = World::new();
    let number = AtomicU32::new(0);
    let running: Mutex<Vec<Running>> = Mutex::default();
    suite(async |google, clock| {
        let name = format!("{}.db", number.fetch_add(1, Ordering::Relaxed));
        let path = world.path().join(name);
        let keeper = SwitchedKeeper::open(&path, google, Arc::clone(&clock)).await;
        let here = World {
            clock,
            ..World::new()
        };
        let server = here.serve(keeper).await;
        let vault = Both {
            gateway: here.client("gateway", server.address),
            worker: here.client("worker", server.address),
        };
        running.lock().unwrap().push(server);
        Arc::new(vault) as Arc<dyn Vault>
    })
    .await;
    let running = running.into_inner().unwrap();
    for server in running {
        server.stop().await;
    }
}

#[tokio::test]
async fn keepers_have_their_way_and_their_errors_arrive_as_they_are() {
    let world = World::new();
    let keeper = world.keeper().await;
    let server = world.serve(keeper.clone()).await;
    let (gateway, worker, admin) = (
        world.client("gateway", server.address),
        world.client("worker", server.address),
        world.client("admin", server.address),
    );
    let (ten, stg) = (tenant(1), storage(1));
    let rotated = gateway.rotate(ten, stg, None, google_secret()).await;
    assert!(matches!(rotated, Err(VaultError::NotFound)), "{rotated:?}");
    let first = gateway.put(ten, stg, google_secret()).await.unwrap();
    let stale = gateway
        .rotate(ten, stg, Some(first.version + 5), google_secret())
        .await;
    assert!(matches!(stale, Err(VaultError::Changed)), "{stale:?}");
    let second = gateway
        .rotate(ten, stg, Some(first.version), google_secret())
        .await
        .unwrap();
    assert!(second.version > first.version);

    let revoked = gateway.revoke(ten, stg, "the person asked").await.unwrap();
    let asked = Refusal {
        by: RefusedBy::Keeper,
        reason: "the person asked".into(),
    };
    assert_eq!(revoked.refused.as_ref(), Some(&asked));
    let token = worker.access_token(&grant(ten, stg), None).await;
    assert!(
        matches!(&token, Err(VaultError::Refused(why)) if *why == asked),
        "{token:?}"
    );
    let wordless = gateway.revoke(ten, stg, "").await.unwrap_err();
    assert!(wordless.to_string().contains("1 to 500"), "{wordless}");

    gateway.put(ten, stg, s3_secret()).await.unwrap();
    let wrong = worker.access_token(&grant(ten, stg), None).await;
    assert!(matches!(wrong, Err(VaultError::WrongKind)), "{wrong:?}");

    admin.rotate_tenant_key(ten).await.unwrap();
    let keys = worker.bucket_keys(&grant(ten, stg)).await.unwrap();
    assert_eq!(keys.access_key_id, "AKIAEXAMPLE");
    let entries = admin.verify_audit_log(ten).await.unwrap();
    let log = gateway.audit_log(ten, 0, 5000).await.unwrap();
    assert_eq!(usize::try_from(entries).unwrap(), log.len());
    admin.destroy_tenant(ten).await.unwrap();
    let again = admin.destroy_tenant(ten).await;
    assert!(matches!(again, Err(VaultError::NotFound)), "{again:?}");

    assert_eq!(
        admin.key_standing().await.unwrap(),
        keeper.key_standing().await.unwrap()
    );
    let nothing = admin.rewrap(0).await.unwrap_err();
    assert!(nothing.to_string().contains("1 to 1000"), "{nothing}");
    assert_eq!(admin.rewrap(10).await.unwrap().waiting, 0);
    assert_eq!(admin.sealed().await, None);
    server.stop().await;
}

#[tokio::test]
async fn a_sealed_vault_says_that_it_is_locked_and_by_what() {
    let world = World::new();
    let keeper = world.keeper().await;
    let server = world.serve(keeper.clone()).await;
    let worker = world.client("worker", server.address);
    let gateway = world.client("gateway", server.address);
    let asked = grant(tenant(1), storage(1));
    gateway
        .put(asked.tenant, asked.storage, google_secret())
        .await
        .unwrap();
    keeper.seal(Some("no key-encryption key is there yet"));
    let token = worker.access_token(&asked, None).await;
    assert!(
        matches!(&token, Err(VaultError::Locked(why)) if why == "no key-encryption key is there yet"),
        "{token:?}"
    );
    let calls = keeper.calls();
    assert_eq!(calls, 2, "what is locked is not asked again and again");
    assert_eq!(
        worker.sealed().await.as_deref(),
        Some("no key-encryption key is there yet")
    );
    keeper.seal(None);
    worker.access_token(&asked, None).await.unwrap();
    server.stop().await;
}

#[tokio::test]
async fn a_grant_to_keep_alive_is_good_for_that_alone_and_no_other_is() {
    let world = World::new();
    let keeper = world.keeper().await;
    let server = world.serve(keeper.clone()).await;
    let listing = grant(tenant(1), storage(1));
    let living = Grant {
        purpose: "keep_alive".into(),
        ..listing.clone()
    };
    keeper
        .put(listing.tenant, listing.storage, google_secret())
        .await
        .unwrap();
    let worker = world.client("worker", server.address);
    let scheduler = world.client("scheduler", server.address);
    let denied = |error: VaultError| matches!(&error, VaultError::Denied(_));
    assert!(denied(worker.keep_alive(&listing).await.unwrap_err()));
    assert!(denied(
        worker.access_token(&living, None).await.unwrap_err()
    ));
    assert!(denied(worker.bucket_keys(&living).await.unwrap_err()));
    assert!(denied(worker.sign(&living, b"m").await.unwrap_err()));
    assert!(denied(worker.signing_key(&living).await.unwrap_err()));
    assert!(denied(scheduler.keep_alive(&listing).await.unwrap_err()));
    assert!(denied(
        scheduler.access_token(&listing, None).await.unwrap_err()
    ));
    assert_eq!(world.google.calls(), 0);
    let info = scheduler.keep_alive(&living).await.unwrap();
    assert!(info.used_at.is_some());
    assert_eq!(world.google.calls(), 1);
    server.stop().await;
}
