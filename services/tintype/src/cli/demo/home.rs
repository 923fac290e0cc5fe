//! The folder that the demo lives in: `data`, `archive`, `restored`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::failure::Failure;

/// Where everything lies.
#[derive(Debug)]
pub(super) struct Home {
    root: PathBuf,
    /// Removed with everything in it when the demo is over.
    passing: Option<TempDir>,
}

impl Home {
    /// Makes the folders. A folder for temporary files stays, so that the person can look around, unless `passing`.
    pub(super) fn make(keep: Option<&Path>, passing: bool) -> Result<Self, Failure> {
        let home = match keep {
            Some(folder) => Self::kept(folder)?,
            None => {
                let folder = tempfile::Builder::new().prefix("tintype-demo-").tempdir()?;
                match passing {
                    true => Self {
                        root: folder.path().to_owned(),
                        passing: Some(folder),
                    },
                    false => Self {
                        root: folder.keep(),
                        passing: None,
                    },
                }
            }
        };
        let archive = home.archive();
        fs::create_dir(&archive)
            .map_err(|error| Failure::file("making the folder", &archive, &error))?;
        Ok(home)
    }

    fn kept(folder: &Path) -> Result<Self, Failure> {
        let root = std::path::absolute(folder)?;
        let holds_something = match fs::read_dir(&root) {
            Ok(mut entries) => entries.next().is_some(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(Failure::file("opening", &root, &error)),
        };
        if holds_something {
            return Err(
                Failure::usage(format!("keep: {} is not empty", root.display()))
                    .with_action("choose a new or empty folder"),
            );
        }
        fs::create_dir_all(&root)
            .map_err(|error| Failure::file("making the folder", &root, &error))?;
        Ok(Self {
            root,
            passing: None,
        })
    }

    /// All of it.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Whether it stays when the demo is over.
    pub(super) fn stays(&self) -> bool {
        self.passing.is_none()
    }

    /// Catalogue, vault and spool.
    pub(super) fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// The destination of the backup.
    pub(super) fn archive(&self) -> PathBuf {
        self.root.join("archive")
    }

    /// What the restore writes.
    pub(super) fn restored(&self) -> PathBuf {
        self.root.join("restored")
    }

    /// The age identity of an encrypted archive.
    pub(super) fn identity(&self) -> PathBuf {
        self.root.join("identity.txt")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_something_in_it_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("mine.txt"), "mine").unwrap();
        let refused = Home::make(Some(folder.path()), false).unwrap_err();
        assert!(refused.to_string().contains("is not empty"));
        let fresh = folder.path().join("new/one");
        assert!(Home::make(Some(&fresh), false).is_ok_and(|home| home.stays()));
    }

    #[test]
    fn a_passing_folder_goes_with_the_demo() {
        let home = Home::make(None, true).unwrap();
        let root = home.root().to_owned();
        assert!(home.archive().is_dir() && !home.stays());
        drop(home);
        assert!(!root.exists());
    }
}
