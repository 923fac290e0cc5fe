//! What a backup needs in the catalogue: a tenant, a connected account, a destination, a plan. Found again by name, so
//! that the same command goes on with what the last one began.

mod fingerprints;

use std::{fs, io, path::Path};

use secrecy::{ExposeSecret, SecretString};
use tintype_app::{
    App,
    setup::{Check, CheckName, CheckResult, NewDestination, NewGoogleStorage, NewPlan},
};
use tintype_model::{
    ErrorKind, StorageId, TenantId,
    credential::ClientId,
    plan::{Layout, Plan, PlanOptions},
    storage::{GooglePhotosSettings, Storage, StorageSettings},
    tenant::Tenant,
};
use tintype_ports::{
    ArchiveError,
    vault::{BucketKeys, Secret},
};

use crate::{
    failure::Failure,
    place::Place,
    render::{Console, Mark},
};

pub(crate) use fingerprints::Fingerprints;

/// The one tenant of a person's own machine.
pub(crate) const HOUSEHOLD: &str = "home";
/// The longest name of a storage or plan, in characters.
const LONGEST_NAME: usize = 100;

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

    fn name(&self) -> String {
        let id = self.client_id.as_str();
        let short = id.strip_suffix(".apps.googleusercontent.com").unwrap_or(id);
        fitting(&format!("Google Photos {short}"))
    }
}

/// The tenant of this machine.
pub(crate) async fn tenant(app: &App) -> Result<TenantId, Failure> {
    let ports = app.ports();
    if let Some(found) = ports.store.tenant_by_name(HOUSEHOLD).await? {
        return Ok(found.id);
    }
    let now = ports.clock.now();
    let tenant = Tenant {
        id: TenantId::new(now, ports.entropy.id_bytes()),
        name: HOUSEHOLD.into(),
        weight: 1,
        max_shards: None,
        created_at: now,
    };
    ports.store.add_tenant(&tenant).await?;
    Ok(tenant.id)
}

/// The account as it was connected before, with today's options.
pub(crate) async fn known_account(
    app: &App,
    tenant: TenantId,
    account: &Account,
) -> Result<Option<Storage>, Failure> {
    let store = &app.ports().store;
    let Some(storage) = store.storage_by_name(tenant, &account.name()).await? else {
        return Ok(None);
    };
    let settings = account.settings.clone();
    let updated = app
        .update_storage(&storage, &storage.name, Some(settings))
        .await?;
    Ok(Some(updated))
}

/// Puts a new credential in the place of the old one; a run that waited for it goes on.
pub(crate) async fn replace_credential(
    app: &App,
    storage: &Storage,
    account: &Account,
) -> Result<(), Failure> {
    let client_id = account.client_id.as_str().to_owned();
    let (secret, token) = (account.client_secret.clone(), account.refresh_token.clone());
    app.reauthorise(storage.tenant, storage.id, client_id, secret, token)
        .await?;
    Ok(())
}

/// Connects an account and tests the connection; nothing stays when Google refuses the credential.
pub(crate) async fn connect_account(
    app: &App,
    tenant: TenantId,
    account: &Account,
    console: &Console,
) -> Result<Storage, Failure> {
    let new = NewGoogleStorage {
        name: account.name(),
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

/// The destination; made and connected when it is new. A folder is only made then: later, a missing one is a disk that
/// is not there.
pub(crate) async fn destination(
    app: &App,
    tenant: TenantId,
    place: &Place,
    fingerprints: &Fingerprints,
) -> Result<Storage, Failure> {
    let name = fitting(&place.to_string());
    if let Some(found) = app.ports().store.storage_by_name(tenant, &name).await? {
        replace_keys(app, &found, place, fingerprints).await?;
        return Ok(found);
    }
    if let StorageSettings::LocalFolder { path } = &place.settings {
        make_folder(path)?;
    }
    let new = NewDestination {
        name,
        settings: place.settings.clone(),
        keys: place.keys.clone(),
    };
    let storage = app.connect_destination(tenant, new).await?;
    if let Some(keys) = &place.keys {
        fingerprints.keep(storage.id, &fingerprint_of(keys))?;
    }
    Ok(storage)
}

/// Keys of a bucket may change from one run to the next.
async fn replace_keys(
    app: &App,
    storage: &Storage,
    place: &Place,
    fingerprints: &Fingerprints,
) -> Result<(), Failure> {
    let Some(keys) = &place.keys else {
        return Ok(());
    };
    let fingerprint = fingerprint_of(keys);
    if fingerprints.has(storage.id, &fingerprint) {
        return Ok(());
    }
    let secret = Secret::S3 {
        access_key_id: keys.access_key_id.clone(),
        secret_access_key: keys.secret_access_key.clone(),
    };
    app.ports()
        .vault
        .put(storage.tenant, storage.id, secret)
        .await?;
    fingerprints.keep(storage.id, &fingerprint)
}

fn fingerprint_of(keys: &BucketKeys) -> String {
    fingerprints::of([&keys.access_key_id, keys.secret_access_key.expose_secret()])
}

fn make_folder(path: &Path) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        let kind = match error.kind() {
            io::ErrorKind::NotFound => ErrorKind::DestinationMissing,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                ErrorKind::DestinationReadOnly
            }
            io::ErrorKind::StorageFull => ErrorKind::DestinationFull,
            _ => ErrorKind::InvalidInput,
        };
        Failure::new(
            kind,
            format!("the destination {} cannot be made: {error}", path.display()),
        )
        .with_action("make the folder yourself, or choose another destination")
    };
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir(path).map_err(failed)
}

/// The plan from the account to the destination.
pub(crate) async fn plan(
    app: &App,
    source: &Storage,
    destination: &Storage,
    options: &PlanOptions,
) -> Result<Plan, Failure> {
    let name = fitting(&format!("{} → {}", source.name, destination.name));
    let tenant = source.tenant;
    if let Some(plan) = app.ports().store.plan_by_name(tenant, &name).await? {
        return same_options(plan, options);
    }
    let new = NewPlan {
        name,
        source: source.id,
        destination: destination.id,
        options: options.clone(),
        schedule: None,
        archive: None,
    };
    app.create_plan(tenant, new).await.map_err(|error| {
        let foreign = matches!(
            &error,
            tintype_app::AppError::Archive(ArchiveError::Foreign(_))
        );
        let failure = Failure::from(error);
        match foreign {
            true => failure.with_action(
                "choose an empty folder, or the --data-dir that this destination was written with",
            ),
            false => failure,
        }
    })
}

/// How an archive is written is settled with its first run.
fn same_options(plan: Plan, options: &PlanOptions) -> Result<Plan, Failure> {
    if plan.options == *options {
        return Ok(plan);
    }
    let layout = match plan.options.layout {
        Layout::Mirror => "as a mirror (--mirror)".to_owned(),
        Layout::Archive if plan.options.recipients.is_empty() => {
            "as an archive without encryption".to_owned()
        }
        Layout::Archive => format!(
            "as an archive encrypted for {}",
            plan.options.recipients.join(", ")
        ),
    };
    Err(Failure::usage(format!(
        "this destination is written {layout}, and stays so"
    ))
    .with_action("give the same options as before, or choose another destination"))
}

/// A name of at most 100 characters; longer ones end with a hash that keeps them apart.
fn fitting(name: &str) -> String {
    let harmless: String = name
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if harmless == name && name.chars().count() <= LONGEST_NAME {
        return harmless;
    }
    let hash = blake3::hash(name.as_bytes()).to_hex();
    let beginning: String = harmless.chars().take(LONGEST_NAME - 18).collect();
    format!("{beginning}… {}", &hash[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let long = "x".repeat(300);
        let (one, other) = (fitting(&format!("{long}1")), fitting(&format!("{long}2")));
        assert_ne!(one, other);
        assert_eq!(one.chars().count(), LONGEST_NAME);
        assert_eq!(fitting("/photos"), "/photos");
        assert!(!fitting("/pho\ntos").contains('\n'));
    }

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
