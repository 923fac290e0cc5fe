//! A credential's secrets: sealed into its row, and opened from it. What is public, and the versions, bind them to the row.

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use tintype_model::{StorageId, TenantId};
use tintype_ports::{
    VaultError,
    vault::{AccessToken, Refusal, RefusedBy, Secret, SecretInfo},
};

use crate::{
    db::{CredentialRow, TenantRow},
    seal::{Place, SealingKey},
};

pub(crate) const GOOGLE: &str = "google";
pub(crate) const S3: &str = "s3";

/// A credential's opened secrets.
pub(crate) struct Opened {
    pub(crate) secret: SecretString,
    pub(crate) refresh_token: Option<SecretString>,
}

/// An access token as it stands in the row.
pub(crate) struct Shared {
    pub(crate) token: AccessToken,
    /// The audit number of its refresh.
    pub(crate) number: i64,
}

impl CredentialRow {
    fn place(&self, field: &'static str) -> Place<'_> {
        Place {
            purpose: "credential",
            tenant: self.tenant(),
            record: self.storage_id,
            field,
            record_version: self.version,
            key_version: self.key_version,
            public: [&self.kind, &self.public_id],
        }
    }

    pub(crate) const fn tenant(&self) -> TenantId {
        TenantId::from_uuid(self.tenant_id)
    }

    pub(crate) const fn storage(&self) -> StorageId {
        StorageId::from_uuid(self.storage_id)
    }

    /// Opens the secrets with the data key of this version.
    pub(crate) fn open(&self, key: &SealingKey, key_version: i64) -> Result<Opened, VaultError> {
        if self.key_version != key_version {
            return Err(VaultError::Sealed);
        }
        let open = |field, sealed: &[u8]| key.open_text(self.place(field), sealed);
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
        let seal = |field, secret: &SecretString| {
            key.seal(self.place(field), secret.expose_secret().as_bytes())
        };
        let secret = seal("secret", &opened.secret)?;
        let refresh_token = opened.refresh_token.as_ref();
        let refresh_token = refresh_token.map(|token| seal("refresh token", token));
        self.refresh_token = refresh_token.transpose()?;
        self.secret = secret;
        Ok(())
    }

    /// The access token in the row, if there is one. It opens only for the generation, the refresh and the end that it was
    /// sealed for, and never after its credential was replaced.
    pub(crate) fn open_access(&self, key: &SealingKey) -> Result<Option<Shared>, VaultError> {
        let (Some(sealed), Some(number), Some(millis)) = (
            &self.access_token,
            self.access_number,
            self.access_expires_at,
        ) else {
            return Ok(None);
        };
        let generation = self.generation.to_string();
        let end = millis.to_string();
        let place = self.access_place(number, [&generation, &end]);
        let token = AccessToken {
            secret: key.open_text(place, sealed)?,
            expires_at: DateTime::from_timestamp_millis(millis).ok_or(VaultError::Sealed)?,
            scopes: self.scopes(),
        };
        Ok(Some(Shared { token, number }))
    }

    /// Seals an access token into the row.
    pub(crate) fn seal_access(
        &mut self,
        key: &SealingKey,
        number: i64,
        secret: &SecretString,
        expires_at: DateTime<Utc>,
    ) -> Result<(), VaultError> {
        let millis = expires_at.timestamp_millis();
        let generation = self.generation.to_string();
        let end = millis.to_string();
        let place = self.access_place(number, [&generation, &end]);
        let sealed = key.seal(place, secret.expose_secret().as_bytes())?;
        self.access_token = Some(sealed);
        self.access_number = Some(number);
        self.access_expires_at = Some(millis);
        Ok(())
    }

    const fn access_place<'a>(&self, number: i64, public: [&'a str; 2]) -> Place<'a> {
        Place {
            purpose: "access",
            tenant: self.tenant(),
            record: self.storage_id,
            field: "access token",
            record_version: number,
            key_version: self.key_version,
            public,
        }
    }

    /// Forgets the access token.
    pub(crate) fn forget_access(&mut self) {
        self.access_token = None;
        self.access_number = None;
        self.access_expires_at = None;
    }

    /// Moves everything sealed in the row from one data key to another.
    pub(crate) fn reseal(
        &mut self,
        (old, old_version): (&SealingKey, i64),
        (new, new_version): (&SealingKey, i64),
    ) -> Result<(), VaultError> {
        let opened = self.open(old, old_version)?;
        let shared = self.open_access(old)?;
        self.key_version = new_version;
        self.seal(new, &opened)?;
        if let Some(Shared { token, number }) = shared {
            self.seal_access(new, number, &token.secret, token.expires_at)?;
        }
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
            refused: self.refusal(),
            used_at: self.used_at.and_then(DateTime::from_timestamp_millis),
            failures: u32::try_from(self.failures).unwrap_or(u32::MAX),
            retry_at: self.retry_at.and_then(DateTime::from_timestamp_millis),
        }
    }

    /// Why nothing of it is handed out.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        let reason = self.refused.clone()?;
        let by = match self.refused_by.as_deref() {
            Some("client") => RefusedBy::Client,
            Some("keeper") => RefusedBy::Keeper,
            _ => RefusedBy::Token,
        };
        Some(Refusal { by, reason })
    }

    /// Hands out nothing of it from now on.
    pub(crate) fn refuse(&mut self, refusal: &Refusal) {
        self.refused = Some(refusal.reason.clone());
        self.refused_by = Some(refusal.by.as_str().to_owned());
        self.forget_access();
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
        refused_by: None,
        access_token: None,
        access_number: None,
        access_expires_at: None,
        lease_holder: None,
        lease_until: None,
        failures: 0,
        retry_at: None,
        forced_at: None,
        account: None,
        used_at: None,
    };
    row.seal(key, &opened)?;
    Ok(row)
}
