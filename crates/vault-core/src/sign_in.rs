//! Sign-ins at Google: the authorization code grant with PKCE. What lets an answer in is known to the person's browser alone; what
//! the code is traded with never leaves.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use tintype_model::{StorageId, TenantId};
use tintype_ports::{
    VaultError,
    google_auth::{RefreshAnswer, RefreshError, SignIn},
    vault::{
        Grant, OAuthClient, Refusal, RefusedBy, Secret, SecretInfo, SignInAnswer, SignInFault,
        SignInPage, SignInRequest, SignedIn,
    },
};

use crate::{
    Inner,
    audit::NewEntry,
    db::SignInRow,
    error::database,
    records::{self, GOOGLE},
    refresh::scrub,
    rotation,
    seal::{Place, SealingKey, random_key},
};

/// How long an answer is waited for.
const WAIT: TimeDelta = TimeDelta::minutes(10);

/// Longest word of Google's for why there is no consent.
const LONGEST_WORD: usize = 100;

impl SignInRow {
    fn place(&self, field: &'static str) -> Place<'_> {
        Place {
            purpose: "sign in",
            tenant: TenantId::from_uuid(self.tenant_id),
            record: self.storage_id,
            field,
            record_version: self.expires_at,
            key_version: self.key_version,
            public: [&self.client_id, &self.redirect_uri],
        }
    }

    fn seal(&mut self, key: &SealingKey, secret: &str, verifier: &str) -> Result<(), VaultError> {
        self.client_secret = key.seal(self.place("client secret"), secret.as_bytes())?;
        self.verifier = key.seal(self.place("verifier"), verifier.as_bytes())?;
        Ok(())
    }

    /// Client secret and verifier.
    fn open(
        &self,
        key: &SealingKey,
        key_version: i64,
    ) -> Result<(SecretString, SecretString), VaultError> {
        if self.key_version != key_version {
            return Err(VaultError::Sealed);
        }
        Ok((
            key.open_text(self.place("client secret"), &self.client_secret)?,
            key.open_text(self.place("verifier"), &self.verifier)?,
        ))
    }
}

fn hash(text: &str) -> Vec<u8> {
    digest(&SHA256, text.as_bytes()).as_ref().to_vec()
}

/// 256 random bits as text that fits a URL.
fn random_text() -> Result<SecretString, VaultError> {
    let bytes = random_key()?;
    Ok(SecretString::from(URL_SAFE_NO_PAD.encode(*bytes)))
}

/// See [`tintype_ports::Vault::begin_sign_in`].
pub(crate) async fn begin(
    vault: &Inner,
    tenant: TenantId,
    storage: StorageId,
    request: SignInRequest,
) -> Result<SignInPage, VaultError> {
    vault.keys.ready()?;
    let now = vault.now().await?;
    let expires_at = now + WAIT;
    let (state, verifier) = (random_text()?, random_text()?);
    let begin = async {
        let mut held = vault.hold_or_create(tenant).await?;
        let keys = held.keys.clone();
        let (key, key_version) = (keys.data()?, held.row.data_key_version);
        let client = match request.client {
            Some(client) => client,
            None => {
                let row = held.tx.credential(tenant, storage).await;
                let row = row.map_err(database)?.ok_or(VaultError::NotFound)?;
                if row.kind != GOOGLE {
                    return Err(VaultError::WrongKind);
                }
                let secret = row.open(key, key_version)?.secret;
                let id = row.public_id;
                OAuthClient { id, secret }
            }
        };
        let mut row = SignInRow {
            state_hash: hash(state.expose_secret()),
            tenant_id: tenant.as_uuid(),
            storage_id: storage.as_uuid(),
            client_id: client.id,
            redirect_uri: request.redirect_uri,
            other_account: i64::from(request.other_account),
            key_version,
            client_secret: Vec::new(),
            verifier: Vec::new(),
            expires_at: expires_at.timestamp_millis(),
        };
        row.seal(key, client.secret.expose_secret(), verifier.expose_secret())?;
        held.tx.put_sign_in(&row, now).await.map_err(database)?;
        let entry = NewEntry::of_keeper(tenant, Some(storage), "sign_in", "begun", now);
        held.append(&entry).await?;
        held.commit().await?;
        Ok(row)
    };
    let row = vault.within(begin).await?;
    let challenge = URL_SAFE_NO_PAD.encode(hash(verifier.expose_secret()));
    let url = vault.google.sign_in_url(&SignIn {
        client_id: &row.client_id,
        redirect_uri: &row.redirect_uri,
        scopes: &request.scopes,
        state: state.expose_secret(),
        challenge: &challenge,
    });
    Ok(SignInPage { url, expires_at })
}

/// See [`tintype_ports::Vault::finish_sign_in`].
pub(crate) async fn finish(
    vault: &Inner,
    state: &SecretString,
    answer: SignInAnswer,
) -> Result<SignedIn, VaultError> {
    vault.keys.ready()?;
    let now = vault.now().await?;
    let taken = vault
        .within(take(vault, &hash(state.expose_secret())))
        .await?;
    let row = taken
        .filter(|row| now.timestamp_millis() < row.expires_at)
        .ok_or(SignInFault::Unknown)?;
    let grant = Grant {
        tenant: TenantId::from_uuid(row.tenant_id),
        storage: StorageId::from_uuid(row.storage_id),
        run: None,
        purpose: "answer".to_owned(),
    };
    // Logged before Google is asked.
    vault.record(&grant, "sign_in").await?;
    let code = match answer {
        SignInAnswer::Code(code) => code,
        SignInAnswer::Error(word) => {
            let word: String = word.chars().filter(|c| !c.is_control()).collect();
            let word = word.chars().take(LONGEST_WORD).collect();
            return Err(SignInFault::NoConsent(word).into());
        }
    };
    let (tenant, keys) = rotation::open(vault, grant.tenant).await?;
    let (secret, verifier) = row.open(keys.data()?, tenant.data_key_version)?;
    let answer = trade(vault, &row, &secret, &code, &verifier).await?;
    let refresh_token = answer.refresh_token.clone();
    let refresh_token = refresh_token.ok_or(SignInFault::NotLasting)?;
    let secret = Secret::Google {
        client_id: row.client_id.clone(),
        client_secret: secret,
        refresh_token,
    };
    let account = who(vault, &answer.access_token).await;
    let keep = keep(vault, &grant, &row, (secret, &answer), account, now);
    let info = vault.within(keep).await?;
    vault.slots.forget((grant.tenant, grant.storage));
    Ok(SignedIn {
        tenant: grant.tenant,
        storage: grant.storage,
        info,
    })
}

async fn take(vault: &Inner, state_hash: &[u8]) -> Result<Option<SignInRow>, VaultError> {
    let mut tx = vault.db.write().await.map_err(database)?;
    let row = tx.take_sign_in(state_hash).await.map_err(database)?;
    tx.commit().await.map_err(database)?;
    Ok(row)
}

async fn trade(
    vault: &Inner,
    row: &SignInRow,
    secret: &SecretString,
    code: &SecretString,
    verifier: &SecretString,
) -> Result<RefreshAnswer, VaultError> {
    let exchange = vault
        .google
        .exchange(&row.client_id, secret, &row.redirect_uri, code, verifier);
    let traded = tokio::time::timeout(vault.refresh_lease, exchange).await;
    let traded = traded.unwrap_or_else(|_| {
        let text = format!("no answer in {} s", vault.refresh_lease.as_secs());
        Err(RefreshError::Unavailable(text))
    });
    let words = |text: &str| scrub(text, &[secret, code, verifier]);
    traded.map_err(|error| match error {
        RefreshError::InvalidGrant(text) => SignInFault::BadCode(words(&text)).into(),
        RefreshError::InvalidClient(text) => VaultError::Refused(Refusal {
            by: RefusedBy::Client,
            reason: words(&text),
        }),
        RefreshError::Unavailable(text) => VaultError::Unavailable(words(&text)),
    })
}

/// Whose account it is, where that can be learnt.
async fn who(vault: &Inner, access_token: &SecretString) -> Option<String> {
    let asked = tokio::time::timeout(vault.refresh_lease, vault.google.account(access_token));
    asked.await.ok()?.ok()?
}

/// Puts the credential in the place of the one before, unless that was another account's.
async fn keep(
    vault: &Inner,
    grant: &Grant,
    row: &SignInRow,
    (secret, answer): (Secret, &RefreshAnswer),
    account: Option<String>,
    now: DateTime<Utc>,
) -> Result<SecretInfo, VaultError> {
    let mut held = vault.hold_living(grant.tenant).await?;
    let before = held.tx.credential(grant.tenant, grant.storage).await;
    let before = before.map_err(database)?.and_then(|row| row.account);
    if before.is_some() && before != account && row.other_account == 0 {
        return Err(match account {
            Some(_) => SignInFault::OtherAccount.into(),
            None => VaultError::Unavailable("google does not say who signed in".to_owned()),
        });
    }
    let entry = NewEntry::of_keeper(grant.tenant, Some(grant.storage), "put", "sign-in", now);
    let number = held.append(&entry).await?;
    let keys = held.keys.clone();
    let mut kept = records::new_row(&held.row, grant.storage, number, secret, keys.data()?)?;
    kept.account = account;
    kept.scopes = serde_json::to_string(&answer.scopes).unwrap_or_else(|_| "[]".to_owned());
    let left = answer.refresh_token_expires_in;
    let left = left.and_then(|left| TimeDelta::from_std(left).ok());
    kept.refresh_token_expires_at = left.map(|left| (now + left).timestamp_millis());
    kept.used_at = Some(now.timestamp_millis());
    held.tx.put_credential(&kept).await.map_err(database)?;
    held.commit().await?;
    Ok(kept.info())
}
