//! The vault: keeps refresh tokens, client secrets and keys to itself and hands out short-lived access tokens.

mod refusal;
mod sign_in;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tintype_model::{ErrorKind, RunId, StorageId, TenantId, credential::health::Signs};

pub use refusal::{Refusal, RefusedBy};
pub use sign_in::{OAuthClient, SignInAnswer, SignInFault, SignInPage, SignInRequest, SignedIn};

/// A secret that goes into the vault.
#[derive(Debug, Clone)]
pub enum Secret {
    /// A connected Google account.
    Google {
        /// OAuth client id.
        client_id: String,
        /// OAuth client secret.
        client_secret: SecretString,
        /// Refresh token.
        refresh_token: SecretString,
    },
    /// Keys of an S3 bucket.
    S3 {
        /// Access key id.
        access_key_id: String,
        /// Secret access key.
        secret_access_key: SecretString,
    },
}

/// What anybody may know of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretInfo {
    /// `google` or `s3`.
    pub kind: String,
    /// The public part: client id or access key id.
    pub public_id: String,
    /// Grows with every change.
    pub version: i64,
    /// Scopes Google granted, once a token was had.
    pub scopes: Vec<String>,
    /// When the refresh token dies, where Google said so.
    pub refresh_token_expires_at: Option<DateTime<Utc>>,
    /// Why it is refused, until it is replaced.
    pub refused: Option<Refusal>,
    /// When its refresh token was used last; `None`: it was never used here.
    pub used_at: Option<DateTime<Utc>>,
    /// Refreshes in a row that had no usable answer and were not refused either.
    pub failures: u32,
    /// Until then Google is not asked again, after such a failure.
    pub retry_at: Option<DateTime<Utc>>,
}

impl SecretInfo {
    /// What is known of the refresh token; `None` where there is none.
    #[must_use]
    pub fn signs(&self) -> Option<Signs> {
        (self.kind == "google").then(|| Signs {
            announced: self.refresh_token_expires_at,
            used_at: self.used_at,
            refused: self.refused.as_ref().map(|it| it.by),
            failures: self.failures,
        })
    }
}

/// For whom and for what an answer is asked: written to the audit log before it is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Whose secret.
    pub tenant: TenantId,
    /// The storage it belongs to.
    pub storage: StorageId,
    /// The run that needs it, if one does.
    pub run: Option<RunId>,
    /// What it is for, in a word: `list`, `download`, `test`, `write`, `sign`, `read`, `upload`, `keep_alive`.
    pub purpose: String,
}

/// A short-lived access token.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// The bearer token.
    pub secret: SecretString,
    /// When it dies.
    pub expires_at: DateTime<Utc>,
    /// Granted scopes.
    pub scopes: Vec<String>,
}

impl AccessToken {
    /// Whether both are the same token.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.secret.expose_secret() == other.secret.expose_secret()
    }
}

/// Keys of a bucket, for the worker that writes to it.
#[derive(Debug, Clone)]
pub struct BucketKeys {
    /// Access key id.
    pub access_key_id: String,
    /// Secret access key.
    pub secret_access_key: SecretString,
}

/// One line of a tenant's access log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Position in the tenant's log, from 1, without holes.
    pub number: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// `put`, `rotate`, `revoke`, `issue`, `refresh`, `reveal`, `sign`, `delete`, `rewrap`, `refused`, `destroy`, `sign_in`,
    /// `keep_alive`.
    pub action: String,
    /// The storage whose secret was used.
    pub storage: Option<StorageId>,
    /// The run it was used for.
    pub run: Option<RunId>,
    /// What for.
    pub purpose: String,
}

/// Why the vault does not answer.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// There is no such secret.
    #[error("the vault holds no credential for this storage")]
    NotFound,
    /// The secret is of another kind than asked.
    #[error("the storage's credential is of another kind")]
    WrongKind,
    /// Google refuses the refresh token or the client, or a keeper revoked the credential; the person must sign in again.
    #[error("the credential is refused: {0}")]
    Refused(Refusal),
    /// Google's token endpoint has passing trouble.
    #[error("no access token could be had: {0}")]
    Unavailable(String),
    /// A sign-in gave no credential.
    #[error(transparent)]
    SignIn(#[from] SignInFault),
    /// The use could not be written to the audit log, so there is no answer.
    #[error("the use could not be audited")]
    Audit(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A record cannot be opened: wrong key, or moved from where it was sealed.
    #[error("a sealed record cannot be opened")]
    Sealed,
    /// The credential changed since it was looked at: look again.
    #[error("the credential changed meanwhile")]
    Changed,
    /// The vault has no key-encryption key yet, so it can open nothing.
    #[error("the vault is sealed: {0}")]
    Locked(String),
    /// The caller may not ask for this.
    #[error("the vault refuses: {0}")]
    Denied(String),
    /// The vault's database failed.
    #[error("the vault's database failed")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl VaultError {
    /// The class of the failure.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound => ErrorKind::NotFound,
            Self::WrongKind => ErrorKind::InvalidInput,
            Self::Refused(_) => ErrorKind::AuthLost,
            Self::SignIn(fault) => fault.kind(),
            Self::Unavailable(_) | Self::Audit(_) | Self::Database(_) | Self::Locked(_) => {
                ErrorKind::Unavailable
            }
            Self::Changed => ErrorKind::Conflict,
            Self::Denied(_) => ErrorKind::Forbidden,
            Self::Sealed => ErrorKind::Internal,
        }
    }
}

/// The vault.
#[async_trait]
pub trait Vault: Send + Sync {
    /// Puts or replaces the secret of a storage.
    async fn put(
        &self,
        tenant: TenantId,
        storage: StorageId,
        secret: Secret,
    ) -> Result<SecretInfo, VaultError>;

    /// What may be known of it.
    async fn describe(
        &self,
        tenant: TenantId,
        storage: StorageId,
    ) -> Result<Option<SecretInfo>, VaultError>;

    /// A valid access token; refreshes at most once at a time. `rejected`: Google refused this one just now.
    async fn access_token(
        &self,
        grant: &Grant,
        rejected: Option<&AccessToken>,
    ) -> Result<AccessToken, VaultError>;

    /// Uses a refresh token for its own sake, where it needs that (see [`needs_use`](tintype_model::credential::health::needs_use));
    /// hands out nothing. Says what is known of it then.
    async fn keep_alive(&self, grant: &Grant) -> Result<SecretInfo, VaultError>;

    /// The keys of a bucket.
    async fn bucket_keys(&self, grant: &Grant) -> Result<BucketKeys, VaultError>;

    /// Signs with the storage's Ed25519 key, made at first use: 64 bytes.
    async fn sign(&self, grant: &Grant, message: &[u8]) -> Result<[u8; 64], VaultError>;

    /// The public half of the storage's signing key, made at first use: 32 bytes.
    async fn signing_key(&self, grant: &Grant) -> Result<[u8; 32], VaultError>;

    /// Begins a sign-in for a storage. Its answer is waited for ten minutes; one that begins later takes its place.
    ///
    /// # Errors
    /// [`VaultError::NotFound`] when no client is given and the storage has none.
    async fn begin_sign_in(
        &self,
        tenant: TenantId,
        storage: StorageId,
        request: SignInRequest,
    ) -> Result<SignInPage, VaultError>;

    /// Ends a sign-in: what came of it is the storage's credential from now on. `state` is the secret of its page; it opens
    /// one time.
    ///
    /// # Errors
    /// [`VaultError::SignIn`] when nothing came of it; the storage then has what it had.
    async fn finish_sign_in(
        &self,
        state: &SecretString,
        answer: SignInAnswer,
    ) -> Result<SignedIn, VaultError>;

    /// Gives an account's grant back to Google, then removes the secret. Google ends the grant of the account to the OAuth
    /// client as a whole: other storages with both lose it too.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`] when Google does not answer: then everything is as it was.
    async fn disconnect(&self, tenant: TenantId, storage: StorageId) -> Result<(), VaultError>;

    /// Removes the secret.
    async fn delete(&self, tenant: TenantId, storage: StorageId) -> Result<(), VaultError>;

    /// The tenant's access log after entry `after`, oldest first, at most `limit`.
    async fn audit_log(
        &self,
        tenant: TenantId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, VaultError>;
}

/// What a change of keys has still to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyStanding {
    /// The key-encryption key that wraps what is new.
    pub newest: i64,
    /// All key-encryption keys that some tenant's keys are still wrapped with, oldest first.
    pub in_use: Vec<i64>,
    /// Tenants whose keys are not wrapped with the newest one yet.
    pub waiting: u64,
    /// Tenants whose keys could not be opened when it was tried last; they stay as they are.
    pub failed: u64,
}

/// What the keepers of a vault do, beside those who use it.
#[async_trait]
pub trait VaultKeeper: Vault {
    /// Replaces the secret of a storage that has one. `expected_version`: only if it still is at that version.
    ///
    /// # Errors
    /// [`VaultError::NotFound`] when there is none, [`VaultError::Changed`] when it is at another version.
    async fn rotate(
        &self,
        tenant: TenantId,
        storage: StorageId,
        expected_version: Option<i64>,
        secret: Secret,
    ) -> Result<SecretInfo, VaultError>;

    /// No access token and no bucket key of this storage is handed out any more until its secret is replaced; signing goes on.
    /// `reason` is shown to people.
    ///
    /// # Errors
    /// [`VaultError::NotFound`] when there is no secret.
    async fn revoke(
        &self,
        tenant: TenantId,
        storage: StorageId,
        reason: &str,
    ) -> Result<SecretInfo, VaultError>;

    /// Which key-encryption keys are in use.
    async fn key_standing(&self) -> Result<KeyStanding, VaultError>;

    /// Wraps the keys of at most `limit` more tenants with the newest key-encryption key; says what is left.
    async fn rewrap(&self, limit: u32) -> Result<KeyStanding, VaultError>;

    /// Gives the tenant a new data key and seals all its secrets with it, in one commit.
    async fn rotate_tenant_key(&self, tenant: TenantId) -> Result<(), VaultError>;

    /// Forgets the tenant's data key for good: nothing sealed with it can be opened again. Its access log stays.
    async fn destroy_tenant(&self, tenant: TenantId) -> Result<(), VaultError>;

    /// Checks the tenant's whole access log and returns how many entries it has.
    ///
    /// # Errors
    /// [`VaultError::Audit`] with what is wrong with it.
    async fn verify_audit_log(&self, tenant: TenantId) -> Result<i64, VaultError>;

    /// `None` while the vault can work; else why not (no key-encryption key, say).
    async fn sealed(&self) -> Option<String>;
}
