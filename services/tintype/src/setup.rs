//! What a backup needs in the catalogue: a tenant, a connected account, a destination, a plan. Found again by name, so
//! that the same command goes on with what the last one began.

mod account;
mod fingerprints;

use std::{fs, io, path::Path};

use secrecy::ExposeSecret;
use tintype_app::{
    App,
    runs::RunChoice,
    setup::{NewDestination, NewPlan},
};
use tintype_model::{
    ErrorKind, TenantId,
    plan::{Layout, Plan, PlanOptions, UploadFrom},
    run::Run,
    storage::{Storage, StorageSettings},
    tenant::Tenant,
};
use tintype_ports::{
    ArchiveError,
    vault::{BucketKeys, Secret},
};

use crate::{failure::Failure, place::Place};

pub(crate) use account::{Account, account, connect_account};
pub(crate) use fingerprints::Fingerprints;

/// The one tenant of a person's own machine.
pub(crate) const HOUSEHOLD: &str = "home";
/// The longest name of a storage or plan, in characters.
const LONGEST_NAME: usize = 100;

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

/// What is uploaded; connected when it is new. Nothing is made there.
pub(crate) async fn source(
    app: &App,
    tenant: TenantId,
    place: &Place,
    fingerprints: &Fingerprints,
) -> Result<Storage, Failure> {
    if let StorageSettings::LocalFolder { path } = &place.settings
        && !path.is_dir()
    {
        let message = format!("--from: there is no folder {}", path.display());
        return Err(Failure::usage(message).with_action("name a folder with photos"));
    }
    destination(app, tenant, place, fingerprints).await
}

/// The plan's run that is not over, resumed, or a new one; and whether it is an old one.
pub(crate) async fn start_or_go_on(
    app: &App,
    plan: &Plan,
    choice: RunChoice,
) -> Result<(Run, bool), Failure> {
    let last = app.ports().store.runs(plan.tenant, plan.id, 1).await?;
    let open = last.into_iter().find(|run| !run.status.state.is_final());
    if let Some(run) = open {
        if choice != RunChoice::Picks && awaits_picks(&run) {
            // Whoever asks for another run has given the link up, and nothing was picked behind it.
            app.cancel_run(plan.tenant, run.id).await?;
            return Ok((app.start_run(plan.tenant, plan.id, choice).await?, false));
        }
        app.resume_run(plan.tenant, run.id).await?;
        return Ok((run, true));
    }
    Ok((app.start_run(plan.tenant, plan.id, choice).await?, false))
}

fn awaits_picks(run: &Run) -> bool {
    let reason = run.status.reason.as_ref();
    reason.is_some_and(|it| it.kind == ErrorKind::PickAwaited)
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

/// The plan from the source to the destination.
pub(crate) async fn plan(
    app: &App,
    source: &Storage,
    destination: &Storage,
    options: &PlanOptions,
) -> Result<Plan, Failure> {
    let chosen = options.upload.and_then(|upload| match upload.from {
        UploadFrom::Snapshot { snapshot, .. } => snapshot,
        UploadFrom::Files => None,
    });
    // Each snapshot that somebody chooses has a plan of its own.
    let source_name = match chosen {
        Some(snapshot) => format!("{snapshot} of {}", source.name),
        None => source.name.clone(),
    };
    let name = fitting(&format!("{source_name} → {}", destination.name));
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
    if plan.kind.uploads() {
        let message = "this source was uploaded with other options (albums, snapshot) before";
        return Err(Failure::usage(message)
            .with_action("give the same options as before, or another --data-dir"));
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
}
