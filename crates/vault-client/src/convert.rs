//! Between the port's types and the contract's.

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use tintype_model::{StorageId, TenantId, storage::GoogleScope};
use tintype_ports::{
    VaultError,
    vault::{
        AuditEntry, KeyStanding, Refusal, RefusedBy, Secret, SecretInfo, SignInAnswer,
        SignInRequest,
    },
};
use tintype_proto::vault::v1;

use crate::errors::nonsense;

pub(crate) fn credential(secret: &Secret) -> v1::Credential {
    use v1::credential::Kind;
    let kind = match secret {
        Secret::Google {
            client_id,
            client_secret,
            refresh_token,
        } => Kind::Google(v1::GoogleCredential {
            client_id: client_id.clone(),
            client_secret: client_secret.expose_secret().to_owned(),
            refresh_token: refresh_token.expose_secret().to_owned(),
        }),
        Secret::S3 {
            access_key_id,
            secret_access_key,
        } => Kind::S3(v1::S3Credential {
            access_key_id: access_key_id.clone(),
            secret_access_key: secret_access_key.expose_secret().to_owned(),
        }),
    };
    v1::Credential { kind: Some(kind) }
}

pub(crate) fn info(info: v1::CredentialInfo) -> Result<SecretInfo, VaultError> {
    let by = refused_by(info.refused_by()).unwrap_or(RefusedBy::Token);
    Ok(SecretInfo {
        kind: info.kind,
        public_id: info.public_id,
        version: info.version,
        scopes: info.scopes,
        refresh_token_expires_at: info.refresh_token_expires_at.map(time).transpose()?,
        refused: info.refused.map(|reason| Refusal { by, reason }),
        used_at: info.used_at.map(time).transpose()?,
        failures: info.failures,
        retry_at: info.retry_at.map(time).transpose()?,
    })
}

pub(crate) fn sign_in(
    tenant: TenantId,
    storage: StorageId,
    request: &SignInRequest,
) -> v1::BeginSignInRequest {
    let scopes = request.scopes.iter().map(|scope| match scope {
        GoogleScope::Read => v1::Scope::Read,
        GoogleScope::Append => v1::Scope::Append,
        GoogleScope::Edit => v1::Scope::Edit,
        GoogleScope::Pick => v1::Scope::Pick,
    });
    v1::BeginSignInRequest {
        tenant: tenant.to_string(),
        storage: storage.to_string(),
        client: request.client.as_ref().map(|client| v1::OAuthClient {
            id: client.id.clone(),
            secret: client.secret.expose_secret().to_owned(),
        }),
        redirect_uri: request.redirect_uri.clone(),
        scopes: scopes.map(i32::from).collect(),
        other_account: request.other_account,
    }
}

pub(crate) fn sign_in_answer(
    state: &SecretString,
    answer: &SignInAnswer,
) -> v1::FinishSignInRequest {
    let (code, error) = match answer {
        SignInAnswer::Code(code) => (code.expose_secret().to_owned(), String::new()),
        SignInAnswer::Error(word) => (String::new(), word.clone()),
    };
    v1::FinishSignInRequest {
        state: state.expose_secret().to_owned(),
        code,
        error,
    }
}

/// Who refuses a credential, where that is the reason.
pub(crate) const fn refused_by(reason: v1::Reason) -> Option<RefusedBy> {
    match reason {
        v1::Reason::Refused => Some(RefusedBy::Token),
        v1::Reason::ClientRefused => Some(RefusedBy::Client),
        v1::Reason::Revoked => Some(RefusedBy::Keeper),
        _ => None,
    }
}

pub(crate) fn some_info(found: Option<v1::CredentialInfo>) -> Result<SecretInfo, VaultError> {
    info(found.ok_or_else(|| nonsense("credential"))?)
}

pub(crate) fn entry(entry: v1::AccessLogEntry) -> Result<AuditEntry, VaultError> {
    let storage = entry.storage.map(|id| id.parse()).transpose();
    let run = entry.run.map(|id| id.parse()).transpose();
    Ok(AuditEntry {
        number: entry.number,
        at: time(entry.at)?,
        action: entry.action,
        storage: storage.map_err(|_| nonsense("storage id"))?,
        run: run.map_err(|_| nonsense("run id"))?,
        purpose: entry.purpose,
    })
}

pub(crate) fn standing(found: Option<v1::KeyStanding>) -> Result<KeyStanding, VaultError> {
    let standing = found.ok_or_else(|| nonsense("standing"))?;
    Ok(KeyStanding {
        newest: standing.newest,
        in_use: standing.in_use,
        waiting: standing.waiting,
        failed: standing.failed,
    })
}

pub(crate) fn time(micros: i64) -> Result<DateTime<Utc>, VaultError> {
    DateTime::from_timestamp_micros(micros).ok_or_else(|| nonsense("time"))
}
