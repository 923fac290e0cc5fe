//! The account of a person's own machine: connected, tested, found again.

use secrecy::{ExposeSecret as _, SecretString};
use tintype_app::{
    App, AppResult,
    setup::{Check, CheckName, CheckResult, NewGoogleStorage},
};
use tintype_model::{
    ErrorKind, StorageId, TenantId,
    credential::ClientId,
    storage::{GooglePhotosSettings, Storage, StorageSettings},
};

use tintype_ports::vault::OAuthClient;

use super::{Fingerprints, fingerprints, fitting};
use crate::{
    failure::Failure,
    render::{Console, Mark},
};

/// A Google Photos account with its options.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    /// OAuth client id.
    pub(crate) client_id: ClientId,
    /// OAuth client secret.
    pub(crate) client_secret: SecretString,
    /// Refresh token.
    pub(crate) refresh_token: SecretString,
    /// Options.
    pub(crate) settings: GooglePhotosSettings,
}

impl Account {
    /// Tells one credential from another without keeping it.
    pub(crate) fn fingerprint(&self) -> String {
        fingerprints::of([
            self.client_id.as_str(),
            self.client_secret.expose_secret(),
            self.refresh_token.expose_secret(),
        ])
    }

    /// The name of the storage, of several accounts with one client the one of this number, from 1.
    fn name(&self, number: usize) -> String {
        let id = self.client_id.as_str();
        let short = id.strip_suffix(".apps.googleusercontent.com").unwrap_or(id);
        fitting(&match number {
            1 => format!("Google Photos {short}"),
            more => format!("Google Photos {short} ({more})"),
        })
    }
}

/// The account, connected now or before. A new token takes the place of the old one of its account; one that is of no account
/// known here connects another one.
pub(crate) async fn account(
    app: &App,
    tenant: TenantId,
    account: &Account,
    fingerprints: &Fingerprints,
    console: &Console,
) -> Result<Storage, Failure> {
    let fingerprint = account.fingerprint();
    let known = known_accounts(app, tenant, account).await?;
    let same = known
        .iter()
        .find(|storage| fingerprints.has(storage.id, &fingerprint));
    if let Some(storage) = same {
        return with_options(app, storage, account).await;
    }
    for storage in &known {
        match replace_credential(app, storage, account).await {
            Ok(()) => {
                console.say("the token is new: it takes the place of the old one");
                fingerprints.keep(storage.id, &fingerprint)?;
                return with_options(app, storage, account).await;
            }
            // It is of another account than this storage.
            Err(error) if error.kind() == ErrorKind::Conflict => {}
            Err(error) => return Err(error.into()),
        }
    }
    console.title("Connecting Google Photos");
    let name = account.name(known.len() + 1);
    let storage = connect_as(app, tenant, name, account, console).await?;
    fingerprints.keep(storage.id, &fingerprint)?;
    Ok(storage)
}

/// The accounts that were connected before with this client.
async fn known_accounts(
    app: &App,
    tenant: TenantId,
    account: &Account,
) -> Result<Vec<Storage>, Failure> {
    let store = &app.ports().store;
    let mut known = Vec::new();
    while let Some(storage) = store
        .storage_by_name(tenant, &account.name(known.len() + 1))
        .await?
    {
        known.push(storage);
    }
    Ok(known)
}

/// The account with today's options.
async fn with_options(app: &App, storage: &Storage, account: &Account) -> Result<Storage, Failure> {
    let settings = match &storage.settings {
        StorageSettings::GooglePhotos(before) => with_both(account.settings.clone(), before),
        StorageSettings::LocalFolder { .. } | StorageSettings::S3(_) => account.settings.clone(),
    };
    let updated = app.update_storage(storage, &storage.name, Some(settings));
    Ok(updated.await?)
}

/// What a backup asks for does not undo what an upload set up, nor the other way round.
fn with_both(asked: GooglePhotosSettings, before: &GooglePhotosSettings) -> GooglePhotosSettings {
    if asked.read_only {
        GooglePhotosSettings {
            read_only: before.read_only,
            batch: before.batch,
            ..asked
        }
    } else {
        GooglePhotosSettings {
            read_only: false,
            batch: asked.batch,
            ..before.clone()
        }
    }
}

/// Puts a new credential in the place of the old one; a run that waited for it goes on.
async fn replace_credential(app: &App, storage: &Storage, account: &Account) -> AppResult<()> {
    let client = OAuthClient {
        id: account.client_id.as_str().to_owned(),
        secret: account.client_secret.clone(),
    };
    let token = account.refresh_token.clone();
    app.reauthorise(storage.tenant, storage.id, client, token, false)
        .await
}

/// Connects an account and tests the connection; nothing stays when Google refuses the credential.
pub(crate) async fn connect_account(
    app: &App,
    tenant: TenantId,
    account: &Account,
    console: &Console,
) -> Result<Storage, Failure> {
    connect_as(app, tenant, account.name(1), account, console).await
}

async fn connect_as(
    app: &App,
    tenant: TenantId,
    name: String,
    account: &Account,
    console: &Console,
) -> Result<Storage, Failure> {
    let new = NewGoogleStorage {
        name,
        client_id: account.client_id.as_str().to_owned(),
        client_secret: account.client_secret.clone(),
        refresh_token: account.refresh_token.clone(),
        settings: account.settings.clone(),
    };
    let storage = app.connect_google(tenant, new).await?;
    let mut refused = None;
    app.test_storage(tenant, storage.id, |check| {
        show(console, &check);
        refused = refused.take().or(refusal(check));
    })
    .await?;
    match refused {
        None => Ok(storage),
        Some(failure) => {
            forget(app, tenant, storage.id).await?;
            Err(failure)
        }
    }
}

fn show(console: &Console, check: &Check) {
    let (mark, evidence) = match &check.result {
        CheckResult::Passed(evidence) => (Mark::Good, evidence.clone()),
        CheckResult::Skipped(why) => (Mark::Open, why.clone()),
        CheckResult::Failed { cause, .. } => (Mark::Bad, cause.clone()),
    };
    console.mark(mark, check.name.title(), &evidence);
}

/// Passing trouble and a used-up quota are no refusal: the run waits them out.
fn refusal(check: Check) -> Option<Failure> {
    match check.result {
        CheckResult::Failed {
            kind: kind @ (ErrorKind::AuthLost | ErrorKind::Forbidden | ErrorKind::InvalidInput),
            cause,
            action,
        } => {
            let title = check.name.title();
            Some(Failure::new(kind, format!("{title}: {cause}")).with_action(action))
        }
        CheckResult::Failed {
            kind: ErrorKind::NotFound,
            cause,
            action,
        } if check.name == CheckName::Credential => {
            Some(Failure::new(ErrorKind::NotFound, cause).with_action(action))
        }
        _ => None,
    }
}

async fn forget(app: &App, tenant: TenantId, storage: StorageId) -> Result<(), Failure> {
    app.ports().store.remove_storage(tenant, storage).await?;
    app.ports().vault.delete(tenant, storage).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_token_is_another_credential() {
        let client_id = ClientId::parse("12-a.apps.googleusercontent.com").unwrap();
        let settings = GooglePhotosSettings::new(client_id.project().clone());
        let account = |token: &str| Account {
            client_id: client_id.clone(),
            client_secret: "s".into(),
            refresh_token: token.into(),
            settings: settings.clone(),
        };
        assert_eq!(account("1//a").fingerprint(), account("1//a").fingerprint());
        assert_ne!(account("1//a").fingerprint(), account("1//b").fingerprint());
    }
}
