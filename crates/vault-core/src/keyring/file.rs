//! The key file: mode 0600, made once and never overwritten in place.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};

use super::{KeyRing, KeyRingError};

const HEADER: &str = "# Key-encryption keys of the Tintype vault: version, key in base64.\n\
    # Without this file no secret in the vault can be opened. Keep a copy apart from the database.\n";

/// A ring of a thousand keys is far smaller; more is not a key file.
const MAX_FILE: u64 = 64 * 1024;

impl KeyRing {
    /// Makes a key file with one new key. Never replaces a file.
    ///
    /// # Errors
    /// When the file is there already or cannot be written.
    pub fn create_file(path: &Path) -> Result<Self, KeyRingError> {
        let ring = Self::generate()?;
        write_new(path, &ring)?;
        sync_folder(path)?;
        Ok(ring)
    }

    /// Reads a key file, which only its owner may read and write.
    ///
    /// # Errors
    /// When it cannot be read, others may read it, or it is malformed.
    pub fn read_file(path: &Path) -> Result<Self, KeyRingError> {
        let failed = |source| KeyRingError::File {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        // Asked of the open file, not of the path: the path could be exchanged in between.
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(KeyRingError::NotAFile {
                path: path.to_owned(),
            });
        }
        let mode = metadata.mode() & 0o7777;
        if mode & 0o177 != 0 {
            return Err(KeyRingError::Permissions {
                path: path.to_owned(),
                mode,
            });
        }
        let mut text = Zeroizing::new(String::new());
        file.take(MAX_FILE)
            .read_to_string(&mut text)
            .map_err(failed)?;
        Self::parse(&SecretString::from(text.as_str()))
    }

    /// Adds a new key to a key file and returns the ring. The file is replaced in one step, so a crash leaves the old one.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn rotate_file(path: &Path) -> Result<Self, KeyRingError> {
        let ring = Self::read_file(path)?.with_new_key()?;
        replace(path, &ring)?;
        Ok(ring)
    }

    /// Takes an old key out of a key file and returns the ring. Rewrap first: what is still wrapped with it is lost.
    ///
    /// # Errors
    /// When the key is the newest or not there, or the file cannot be read or written.
    pub fn retire_in_file(path: &Path, version: i64) -> Result<Self, KeyRingError> {
        let ring = Self::read_file(path)?.without(version)?;
        replace(path, &ring)?;
        Ok(ring)
    }
}

fn write_new(path: &Path, ring: &KeyRing) -> Result<(), KeyRingError> {
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(HEADER.as_bytes())?;
        file.write_all(ring.to_text().expose_secret().as_bytes())?;
        file.sync_all()
    };
    write().map_err(|source| KeyRingError::File {
        path: path.to_owned(),
        source,
    })
}

fn replace(path: &Path, ring: &KeyRing) -> Result<(), KeyRingError> {
    let mut next = path.as_os_str().to_owned();
    next.push(".next");
    let next = PathBuf::from(next);
    let failed = |source| KeyRingError::File {
        path: path.to_owned(),
        source,
    };
    match fs::remove_file(&next) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    write_new(&next, ring)?;
    fs::rename(&next, path).map_err(failed)?;
    sync_folder(path)
}

/// Makes the new name itself durable.
fn sync_folder(path: &Path) -> Result<(), KeyRingError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| KeyRingError::File {
        path: folder.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_file_is_private_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let ring = KeyRing::create_file(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        assert!(matches!(
            KeyRing::create_file(&path),
            Err(KeyRingError::File { .. })
        ));
        let read = KeyRing::read_file(&path).unwrap();
        assert_eq!(
            read.to_text().expose_secret(),
            ring.to_text().expose_secret()
        );
    }

    #[test]
    fn a_key_file_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        KeyRing::create_file(&path).unwrap();
        for mode in [0o640, 0o604, 0o620, 0o700, 0o660] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let refused = KeyRing::read_file(&path);
            assert!(
                matches!(refused, Err(KeyRingError::Permissions { .. })),
                "{mode:o}"
            );
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        assert!(KeyRing::read_file(&path).is_ok());
        assert!(matches!(
            KeyRing::read_file(folder.path()),
            Err(KeyRingError::NotAFile { .. })
        ));
    }

    #[test]
    fn a_rotated_file_keeps_the_old_key_until_it_is_retired() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        KeyRing::create_file(&path).unwrap();
        assert_eq!(KeyRing::rotate_file(&path).unwrap().versions(), [1, 2]);
        assert_eq!(KeyRing::read_file(&path).unwrap().versions(), [1, 2]);
        KeyRing::retire_in_file(&path, 1).unwrap();
        assert_eq!(KeyRing::read_file(&path).unwrap().versions(), [2]);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
    }
}
