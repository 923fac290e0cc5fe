//! The embedded profile: where the data folder is, who may use it, and how the outside is reached.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
};

use tintype_app::Settings;
use tintype_model::{
    ErrorKind,
    quota::{CloudProject, QuotaLimits},
    storage::StoragePolicy,
};
use url::Url;

use crate::failure::Failure;

/// Everything the embedded profile is told.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    /// Catalogue, vault and spool lie here.
    pub(crate) data: PathBuf,
    /// Where Google is; `None` is Google itself.
    pub(crate) google: Option<Url>,
    /// Trusted beside the authorities of the machine.
    pub(crate) ca_cert: Option<PathBuf>,
    /// What each cloud project may spend in a day, unless `projects` says otherwise.
    pub(crate) limits: QuotaLimits,
    /// What some cloud projects may spend.
    pub(crate) projects: BTreeMap<CloudProject, QuotaLimits>,
    /// What archives may lie in.
    pub(crate) storages: StoragePolicy,
    /// Bounds and intervals of the engine.
    pub(crate) settings: Settings,
}

impl Profile {
    /// The defaults, with everything in this folder.
    pub(crate) fn in_folder(data: PathBuf) -> Self {
        Self {
            data,
            google: None,
            ca_cert: None,
            limits: QuotaLimits::default(),
            projects: BTreeMap::new(),
            storages: StoragePolicy::OWN_MACHINE,
            settings: Settings::default(),
        }
    }
}

/// The file in the data folder with the operator's token, where the settings name none.
pub(crate) const TOKEN_FILE: &str = "operator.token";

/// `$XDG_DATA_HOME/tintype`, or `~/.local/share/tintype`.
pub(crate) fn default_data_dir() -> Result<PathBuf, Failure> {
    data_dir(|name| std::env::var_os(name).map(PathBuf::from))
}

fn data_dir(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<PathBuf, Failure> {
    // A relative XDG_DATA_HOME is to be ignored, says its specification.
    if let Some(base) = variable("XDG_DATA_HOME").filter(|path| path.is_absolute()) {
        return Ok(base.join("tintype"));
    }
    match variable("HOME").filter(|path| path.is_absolute()) {
        Some(home) => Ok(home.join(".local/share/tintype")),
        None => Err(
            Failure::usage("the data folder is not known, because HOME is not set")
                .with_action("name one with --data-dir"),
        ),
    }
}

/// A data folder that this process alone may use, for as long as it is held.
#[derive(Debug)]
pub(crate) struct DataFolder {
    _lock: File,
}

impl DataFolder {
    /// Makes the folder (for its owner only) when it is missing, and locks it.
    pub(crate) fn lock(path: &Path) -> Result<Self, Failure> {
        private_folder(path)
            .map_err(|error| Failure::file("making the data folder", path, &error))?;
        let file = path.join("lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&file)
            .map_err(|error| Failure::file("opening", &file, &error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Failure::new(
                ErrorKind::Conflict,
                format!(
                    "another tintype works with the data folder {}",
                    path.display()
                ),
            )
            .with_action("wait until it has ended, or choose another folder with --data-dir")),
            Err(TryLockError::Error(error)) => Err(Failure::file("locking", &file, &error)),
        }
    }
}

#[cfg(unix)]
fn private_folder(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

#[cfg(not(unix))]
fn private_folder(path: &Path) -> std::io::Result<()> {
    fs::create_dir_all(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &[(&str, &str)]) -> Option<PathBuf> {
        let find = |name: &str| pairs.iter().find(|(key, _)| *key == name);
        data_dir(|name| find(name).map(|(_, value)| value.into())).ok()
    }

    #[test]
    fn the_data_folder_follows_the_desktop_specification() {
        let chosen = from(&[("XDG_DATA_HOME", "/data"), ("HOME", "/home/me")]);
        assert_eq!(chosen, Some("/data/tintype".into()));
        let usual = Some("/home/me/.local/share/tintype".into());
        assert_eq!(from(&[("HOME", "/home/me")]), usual);
        assert_eq!(
            from(&[("XDG_DATA_HOME", "data"), ("HOME", "/home/me")]),
            usual
        );
        assert_eq!(from(&[]), None);
    }

    #[test]
    fn a_data_folder_belongs_to_one_process_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let held = DataFolder::lock(&data).unwrap();
        let refused = DataFolder::lock(&data).unwrap_err();
        assert!(refused.to_string().contains("another tintype"), "{refused}");
        drop(held);
        assert!(DataFolder::lock(&data).is_ok());
    }
}
