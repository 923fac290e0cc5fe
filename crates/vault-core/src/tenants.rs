//! A tenant's two keys, wrapped by the key ring: the data key seals its secrets, the audit key chains its log.

use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;
use tintype_model::TenantId;
use tintype_ports::VaultError;
use uuid::Uuid;

use crate::{
    audit::chain,
    error::database,
    keyring::KeyRing,
    seal::{KeyBytes, Place, SealingKey, random_key},
};

/// A tenant's row.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct TenantRow {
    pub(crate) tenant_id: Uuid,
    pub(crate) data_key_version: i64,
    pub(crate) kek_version: i64,
    pub(crate) data_key: Option<Vec<u8>>,
    pub(crate) audit_key: Vec<u8>,
    pub(crate) audit_count: i64,
    pub(crate) audit_mac: Vec<u8>,
    pub(crate) audit_head: Vec<u8>,
}

impl TenantRow {
    /// Whose row it is.
    pub(crate) const fn tenant(&self) -> TenantId {
        TenantId::from_uuid(self.tenant_id)
    }

    /// The data key's bytes; `NotFound` once the tenant was destroyed.
    pub(crate) fn data_key_bytes(&self, ring: &KeyRing) -> Result<KeyBytes, VaultError> {
        let wrapped = self.data_key.as_deref().ok_or(VaultError::NotFound)?;
        let place = data_key_place(self.tenant(), self.data_key_version, self.kek_version);
        unwrap(ring, self.kek_version, place, wrapped)
    }

    /// The data key, ready to seal and open.
    pub(crate) fn data_key(&self, ring: &KeyRing) -> Result<SealingKey, VaultError> {
        SealingKey::new(&self.data_key_bytes(ring)?)
    }

    /// The audit key's bytes, which outlive the data key.
    pub(crate) fn audit_key_bytes(&self, ring: &KeyRing) -> Result<KeyBytes, VaultError> {
        let place = audit_key_place(self.tenant(), self.kek_version);
        unwrap(ring, self.kek_version, place, &self.audit_key)
    }
}

/// A data key wrapped with the ring's newest key.
pub(crate) fn wrap_data_key(
    ring: &KeyRing,
    tenant: TenantId,
    version: i64,
    key: &KeyBytes,
) -> Result<Vec<u8>, VaultError> {
    let kek = ring.newest();
    ring.key(kek)?
        .seal(data_key_place(tenant, version, kek), key.as_slice())
}

/// An audit key wrapped with the ring's newest key.
pub(crate) fn wrap_audit_key(
    ring: &KeyRing,
    tenant: TenantId,
    key: &KeyBytes,
) -> Result<Vec<u8>, VaultError> {
    let kek = ring.newest();
    ring.key(kek)?
        .seal(audit_key_place(tenant, kek), key.as_slice())
}

/// The tenant's row, if it has one.
pub(crate) async fn load(
    connection: &mut SqliteConnection,
    tenant: TenantId,
) -> Result<Option<TenantRow>, sqlx::Error> {
    sqlx::query_as(
        "SELECT tenant_id, data_key_version, kek_version, data_key, audit_key, audit_count, audit_mac, audit_head
         FROM vault_tenant WHERE tenant_id = $1",
    )
    .bind(tenant.as_uuid())
    .fetch_optional(connection)
    .await
}

/// The tenant's row, made with fresh keys at first use. `NotFound` once the tenant was destroyed: it never comes back.
pub(crate) async fn load_or_create(
    connection: &mut SqliteConnection,
    ring: &KeyRing,
    tenant: TenantId,
) -> Result<TenantRow, VaultError> {
    if let Some(row) = load(connection, tenant).await.map_err(database)? {
        return if row.data_key.is_some() {
            Ok(row)
        } else {
            Err(VaultError::NotFound)
        };
    }
    let row = new_row(ring, tenant)?;
    sqlx::query(
        "INSERT INTO vault_tenant
         (tenant_id, data_key_version, kek_version, data_key, audit_key, audit_count, audit_mac, audit_head)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(row.tenant_id)
    .bind(row.data_key_version)
    .bind(row.kek_version)
    .bind(&row.data_key)
    .bind(&row.audit_key)
    .bind(row.audit_count)
    .bind(&row.audit_mac)
    .bind(&row.audit_head)
    .execute(connection)
    .await
    .map_err(database)?;
    Ok(row)
}

/// Replaces the wrapped keys, and nothing else of the row.
pub(crate) async fn replace_keys(
    connection: &mut SqliteConnection,
    row: &TenantRow,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE vault_tenant SET data_key_version = $2, kek_version = $3, data_key = $4, audit_key = $5
         WHERE tenant_id = $1",
    )
    .bind(row.tenant_id)
    .bind(row.data_key_version)
    .bind(row.kek_version)
    .bind(&row.data_key)
    .bind(&row.audit_key)
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets the tenant's data key for good, and deletes what was sealed with it.
pub(crate) async fn destroy(
    connection: &mut SqliteConnection,
    tenant: TenantId,
    at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE vault_tenant SET data_key = NULL, destroyed_at = $2 WHERE tenant_id = $1")
        .bind(tenant.as_uuid())
        .bind(at.timestamp_millis())
        .execute(&mut *connection)
        .await?;
    let deletions = [
        "DELETE FROM credential WHERE tenant_id = $1",
        "DELETE FROM signing_key WHERE tenant_id = $1",
    ];
    for deletion in deletions {
        sqlx::query(deletion)
            .bind(tenant.as_uuid())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

fn new_row(ring: &KeyRing, tenant: TenantId) -> Result<TenantRow, VaultError> {
    let data_key_version = 1;
    let audit_key = random_key()?;
    let audit_mac = chain::beginning(&audit_key, tenant);
    Ok(TenantRow {
        tenant_id: tenant.as_uuid(),
        data_key_version,
        kek_version: ring.newest(),
        data_key: Some(wrap_data_key(
            ring,
            tenant,
            data_key_version,
            &random_key()?,
        )?),
        audit_key: wrap_audit_key(ring, tenant, &audit_key)?,
        audit_count: 0,
        audit_head: chain::head(&audit_key, 0, &audit_mac),
        audit_mac,
    })
}

fn unwrap(
    ring: &KeyRing,
    kek_version: i64,
    place: Place<'_>,
    wrapped: &[u8],
) -> Result<KeyBytes, VaultError> {
    let opened = ring.key(kek_version)?.open(place, wrapped)?;
    let bytes = <[u8; 32]>::try_from(opened.as_slice()).map_err(|_| VaultError::Sealed)?;
    Ok(KeyBytes::new(bytes))
}

const fn data_key_place(tenant: TenantId, version: i64, kek_version: i64) -> Place<'static> {
    Place {
        purpose: "wrap",
        tenant,
        record: tenant.as_uuid(),
        field: "data key",
        record_version: version,
        key_version: kek_version,
        public: ["", ""],
    }
}

const fn audit_key_place(tenant: TenantId, kek_version: i64) -> Place<'static> {
    Place {
        purpose: "wrap",
        tenant,
        record: tenant.as_uuid(),
        field: "audit key",
        record_version: 0,
        key_version: kek_version,
        public: ["", ""],
    }
}
