//! Rows as they stand in the tables. What is sealed or wrapped in them is opened elsewhere.

use uuid::Uuid;

/// A tenant's row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
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

/// A credential's row. Times are milliseconds since 1970.
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
    pub(crate) refused_by: Option<String>,
    pub(crate) access_token: Option<Vec<u8>>,
    pub(crate) access_number: Option<i64>,
    pub(crate) access_expires_at: Option<i64>,
    pub(crate) lease_holder: Option<Uuid>,
    pub(crate) lease_until: Option<i64>,
    pub(crate) failures: i64,
    pub(crate) retry_at: Option<i64>,
    pub(crate) forced_at: Option<i64>,
    pub(crate) account: Option<String>,
    pub(crate) used_at: Option<i64>,
}

/// A sign-in that an answer is waited for. Times are milliseconds since 1970.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct SignInRow {
    pub(crate) state_hash: Vec<u8>,
    pub(crate) tenant_id: Uuid,
    pub(crate) storage_id: Uuid,
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) other_account: i64,
    pub(crate) key_version: i64,
    pub(crate) client_secret: Vec<u8>,
    pub(crate) verifier: Vec<u8>,
    pub(crate) expires_at: i64,
}

/// What is current of a storage's credential.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub(crate) struct Current {
    pub(crate) tenant_id: Uuid,
    pub(crate) storage_id: Uuid,
    pub(crate) generation: i64,
    pub(crate) access_number: Option<i64>,
}

/// What a tenant's log grows by, if it still ends as `from` says and all of `expected` is current. An expected token's number
/// counts only where there is one.
#[derive(Debug)]
pub(crate) struct Growth {
    pub(crate) from: TenantRow,
    pub(crate) to: TenantRow,
    pub(crate) entries: Vec<EntryRow>,
    pub(crate) expected: Vec<Current>,
}

/// A tenant's row as it was when its log should have grown, and whether it did.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct LogRow {
    #[sqlx(flatten)]
    pub(crate) row: TenantRow,
    pub(crate) grew: bool,
}

/// A signing key's row.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct SigningRow {
    pub(crate) tenant_id: Uuid,
    pub(crate) storage_id: Uuid,
    pub(crate) key_version: i64,
    pub(crate) pkcs8: Vec<u8>,
}

/// A log entry's row.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct EntryRow {
    pub(crate) tenant_id: Uuid,
    pub(crate) number: i64,
    pub(crate) at: i64,
    pub(crate) action: String,
    pub(crate) storage_id: Option<Uuid>,
    pub(crate) run_id: Option<Uuid>,
    pub(crate) purpose: String,
    pub(crate) mac: Vec<u8>,
}
