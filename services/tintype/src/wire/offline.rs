//! Reading archives without catalogue or account: verify, restore, and what a manifest lists.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
    sync::{Mutex, PoisonError},
};

use secrecy::{ExposeSecret, SecretString};
use tintype_blob::{
    ArchiveReader, RestoreOptions, RestoreProgress, RestoreReport, VerifyOptions, VerifyProgress,
    VerifyReport,
};
use tintype_ports::ArchiveError;
use tintype_runtime::HttpSettings;

use super::archives;
use crate::{
    failure::Failure,
    place::Place,
    render::{Console, Meter, bytes, count, counted},
};

/// An archive, opened for reading.
pub(crate) struct Reader(ArchiveReader);

impl Reader {
    /// Opens it; `identity` names an age key file.
    pub(crate) async fn open(place: &Place, identity: Option<&Path>) -> Result<Self, Failure> {
        let http = HttpSettings::from_env()?;
        let connect = archives::connector(&http, true)?;
        let root = archives::root(place.settings.clone(), place.keys.clone(), &connect)?;
        let identity = match identity {
            None => None,
            Some(file) => {
                let text = fs::read_to_string(file)
                    .map_err(|error| Failure::file("reading", file, &error))?;
                Some(SecretString::from(text))
            }
        };
        let reader = ArchiveReader::open(&root, identity.as_ref()).await;
        reader.map(Self).map_err(|error| unreadable(place, error))
    }

    /// Checks everything, and shows how far it is.
    pub(crate) async fn verify(
        &self,
        options: &VerifyOptions,
        console: &Console,
    ) -> Result<VerifyReport, Failure> {
        let meter = Mutex::new(console.meter("verifying"));
        let show = |so_far: VerifyProgress| {
            locked(&meter, |meter| {
                meter.update(so_far.objects, None, || {
                    format!(
                        "{}  {}  {}",
                        counted(so_far.objects, "object"),
                        bytes(so_far.bytes),
                        counted(so_far.problems, "problem")
                    )
                });
            });
        };
        let report = tintype_blob::verify(&self.0, options, &show).await;
        report.map_err(needs_identity)
    }

    /// Writes the files of a snapshot below `to`, and shows how far it is.
    pub(crate) async fn restore(
        &self,
        to: &Path,
        options: &RestoreOptions,
        console: &Console,
    ) -> Result<RestoreReport, Failure> {
        let meter = Mutex::new(console.meter("restoring"));
        let show = |so_far: RestoreProgress| {
            locked(&meter, |meter| {
                meter.update(so_far.items, Some(so_far.total), || {
                    format!(
                        "{}/{} items  {}",
                        count(so_far.items),
                        count(so_far.total),
                        bytes(so_far.bytes)
                    )
                });
            });
        };
        let report = tintype_blob::restore(&self.0, to, options, &show).await;
        report.map_err(needs_identity)
    }
}

fn locked(meter: &Mutex<Meter>, act: impl FnOnce(&mut Meter)) {
    act(&mut meter.lock().unwrap_or_else(PoisonError::into_inner));
}

/// A folder that holds no archive is most often a slip of the pen.
fn unreadable(place: &Place, error: ArchiveError) -> Failure {
    match error {
        ArchiveError::Missing(what) => Failure::usage(format!("{place}: {what}"))
            .with_action("name the folder or bucket that a backup was written to"),
        other => needs_identity(other),
    }
}

fn needs_identity(error: ArchiveError) -> Failure {
    let is_locked = matches!(error, ArchiveError::Locked(_));
    let failure = Failure::from(error);
    match is_locked {
        true => failure.with_action("give the age key file with --identity FILE"),
        false => failure,
    }
}

/// Makes an age key file, for its owner only, and returns the recipient that encrypts for it.
pub(super) fn new_identity(file: &Path) -> Result<String, Failure> {
    let (identity, recipient) = tintype_blob::new_identity();
    write_private(file, identity.expose_secret())
        .map_err(|error| Failure::file("writing", file, &error))?;
    Ok(recipient)
}

#[cfg(unix)]
fn write_private(file: &Path, text: &str) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)?;
    file.write_all(text.as_bytes())
}

#[cfg(not(unix))]
fn write_private(file: &Path, text: &str) -> io::Result<()> {
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(file)?
        .write_all(text.as_bytes())
}
