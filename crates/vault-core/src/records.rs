//! The credentials' rows: what is sealed, what is public, and the version that ties both together.

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use sqlx::SqliteConnection;
use tintype_model::{StorageId, TenantId};
use tintype_ports::{
    VaultError,
    vault::{Secret, SecretInfo},
};
use uuid::Uuid;

use crate::{
    error::database,
    keyring::KeyRing,
    seal::{Place, SealingKey},
    tenants::TenantRow,
};

pub(crate) const GOOGLE: &str = "google";
pub(crate) const S3: &str = "s3";

/// A credential's row.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct CredentialRow {
    pub(crate) tenant_id: Uuid,
    pub(crate) storage_id: Uuid,
    pub(crate) kind: String,
    pub(crate) public_id: String,
    pub(crate) generation: i64,
    pub(crate) version: i64,
    pub(crate) key_version: i64,
    pub(crate) secret: Vec<u8>,
    pub(crate) refresh_token: Option<Vec<u8>>,
    pub(crate) scopes: String,
    pub(crate) refresh_token_expires_at: Option<i64>,
    pub(crate) refused: Option<String>,
}

/// A credential's opened secrets.
pub(crate) struct Opened {
    pub(crate) secret: SecretString,
    pub(crate) refresh_token: Option<SecretString>,
}

impl CredentialRow {
    fn place(&self, field: &'static str) -> Place<'_> {
        Place {
            purpose: "credential",
            tenant: TenantId::from_uuid(self.tenant_id),
            record: self.storage_id,
            field,
            record_version: self.version,
            key_version: self.key_version,
            public: [&self.kind, &self.public_id],
        }
    }

    /// Opens the secrets with the tenant's data key.
    pub(crate) fn open(&self, tenant: &TenantRow, ring: &KeyRing) -> Result<Opened, VaultError> {
        let key = tenant.data_key(ring)?;
        if self.key_version != tenant.data_key_version {
            return Err(VaultError::Sealed);
        }
        self.open_with(&key)
    }

    pub(crate) fn open_with(&self, key: &SealingKey) -> Result<Opened, VaultError> {
        let open = |field, sealed: &[u8]| {
            let plain = key.open(self.place(field), sealed)?;
            let text = str::from_utf8(&plain).map_err(|_| VaultError::Sealed)?;
            Ok::<_, VaultError>(SecretString::from(text))
        };
        let refresh_token = self.refresh_token.as_deref();
        Ok(Opened {
            secret: open("secret", &self.secret)?,
            refresh_token: refresh_token
                .map(|sealed| open("refresh token", sealed))
                .transpose()?,
        })
    }

    /// Seals the secrets into the row, for the versions that stand in it.
    pub(crate) fn seal(&mut self, key: &SealingKey, opened: &Opened) -> Result<(), VaultError> {
        let secret = key.seal(
            self.place("secret"),
            opened.secret.expose_secret().as_bytes(),
        )?;
        let refresh_token = opened
            .refresh_token
            .as_ref()
            .map(|token| {
                key.seal(
                    self.place("refresh token"),
                    token.expose_secret().as_bytes(),
                )
            })
            .transpose()?;
        self.secret = secret;
        self.refresh_token = refresh_token;
        Ok(())
    }

    /// What anybody may know.
    pub(crate) fn info(&self) -> SecretInfo {
        SecretInfo {
            kind: self.kind.clone(),
            public_id: self.public_id.clone(),
            version: self.version,
            scopes: self.scopes(),
            refresh_token_expires_at: self.dies_at(),
            refused: self.refused.clone(),
        }
    }

    pub(crate) fn scopes(&self) -> Vec<String> {
        serde_json::from_str(&self.scopes).unwrap_or_default()
    }

    pub(crate) fn dies_at(&self) -> Option<DateTime<Utc>> {
        self.refresh_token_expires_at
            .and_then(DateTime::from_timestamp_millis)
    }
}

/// A new row for a secret that was just put; `number` is its audit entry's.
pub(crate) fn new_row(
    tenant: &TenantRow,
    storage: StorageId,
    number: i64,
    secret: Secret,
    key: &SealingKey,
) -> Result<CredentialRow, VaultError> {
    let (kind, public_id, opened) = match secret {
        Secret::Google {
            client_id,
            client_secret,
            refresh_token,
        } => (
            GOOGLE,
            client_id,
            Opened {
                secret: client_secret,
                refresh_token: Some(refresh_token),
            },
        ),
        Secret::S3 {
            access_key_id,
            secret_access_key,
        } => (
            S3,
            access_key_id,
            Opened {
                secret: secret_access_key,
                refresh_token: None,
            },
        ),
    };
    let mut row = CredentialRow {
        tenant_id: tenant.tenant_id,
        storage_id: storage.as_uuid(),
        kind: kind.to_owned(),
        public_id,
        generation: number,
        version: number,
        key_version: tenant.data_key_version,
        secret: Vec::new(),
        refresh_token: None,
        scopes: "[]".to_owned(),
        refresh_token_expires_at: None,
        refused: None,
    };
    row.seal(key, &opened)?;
    Ok(row)
}

/// The credential of a storage, unless the tenant was destroyed.
pub(crate) async fn load(
    connection: &mut SqliteConnection,
    tenant: TenantId,
    storage: StorageId,
) -> Result<Option<CredentialRow>, sqlx::Error> {
    sqlx::query_as(
        "SELECT c.* FROM credential c JOIN vault_tenant t ON t.tenant_id = c.tenant_id
         WHERE c.tenant_id = $1 AND c.storage_id = $2 AND t.data_key IS NOT NULL",
    )
    .bind(tenant.as_uuid())
    .bind(storage.as_uuid())
    .fetch_optional(connection)
    .await
}

/// All credentials of a tenant.
pub(crate) async fn of_tenant(
    connection: &mut SqliteConnection,
    tenant: TenantId,
) -> Result<Vec<CredentialRow>, sqlx::Error> {
    sqlx::query_as("SELECT * FROM credential WHERE tenant_id = $1")
        .bind(tenant.as_uuid())
        .fetch_all(connection)
        .await
}

/// The generation of a storage's credential, if it is there and not refused.
pub(crate) async fn generation(
    connection: &mut SqliteConnection,
    tenant: TenantId,
    storage: StorageId,
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT generation FROM credential WHERE tenant_id = $1 AND storage_id = $2 AND refused IS NULL",
    )
    .bind(tenant.as_uuid())
    .bind(storage.as_uuid())
    .fetch_optional(connection)
    .await
}

/// Puts or replaces a row.
pub(crate) async fn upsert(
    connection: &mut SqliteConnection,
    row: &CredentialRow,
) -> Result<(), VaultError> {
    sqlx::query(
        "INSERT INTO credential (tenant_id, storage_id, kind, public_id, generation, version, key_version, secret,
                                 refresh_token, scopes, refresh_token_expires_at, refused)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT (tenant_id, storage_id) DO UPDATE SET
             kind = excluded.kind, public_id = excluded.public_id, generation = excluded.generation,
             version = excluded.version, key_version = excluded.key_version, secret = excluded.secret,
             refresh_token = excluded.refresh_token, scopes = excluded.scopes,
             refresh_token_expires_at = excluded.refresh_token_expires_at, refused = excluded.refused",
    )
    .bind(row.tenant_id)
    .bind(row.storage_id)
    .bind(&row.kind)
    .bind(&row.public_id)
    .bind(row.generation)
    .bind(row.version)
    .bind(row.key_version)
    .bind(&row.secret)
    .bind(&row.refresh_token)
    .bind(&row.scopes)
    .bind(row.refresh_token_expires_at)
    .bind(&row.refused)
    .execute(connection)
    .await
    .map_err(database)?;
    Ok(())
}

/// Marks a credential as refused, if it still is what was tried. `false`: it changed meanwhile.
pub(crate) async fn refuse(
    connection: &mut SqliteConnection,
    tried: &CredentialRow,
    why: &str,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "UPDATE credential SET refused = $4 WHERE tenant_id = $1 AND storage_id = $2 AND version = $3",
    )
    .bind(tried.tenant_id)
    .bind(tried.storage_id)
    .bind(tried.version)
    .bind(why)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Removes a credential. `false`: there was none.
pub(crate) async fn delete(
    connection: &mut SqliteConnection,
    tenant: TenantId,
    storage: StorageId,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query("DELETE FROM credential WHERE tenant_id = $1 AND storage_id = $2")
        .bind(tenant.as_uuid())
        .bind(storage.as_uuid())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}
