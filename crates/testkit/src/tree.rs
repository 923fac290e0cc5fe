//! Two folders compared, file by file and byte by byte.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

/// The files under a folder. It holds names and lengths, not contents: the folder has to stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    root: PathBuf,
    files: BTreeMap<PathBuf, u64>,
}

/// One way in which two trees differ; paths are relative to their roots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Only the left tree has the file.
    OnlyLeft(PathBuf),
    /// Only the right tree has the file.
    OnlyRight(PathBuf),
    /// Both have the file, with other bytes.
    Bytes {
        /// The file.
        path: PathBuf,
        /// The first byte that differs, counted from 0; the shorter length when one starts the other.
        offset: u64,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OnlyLeft(path) => write!(f, "only left: {}", path.display()),
            Self::OnlyRight(path) => write!(f, "only right: {}", path.display()),
            Self::Bytes { path, offset } => {
                write!(f, "differs from byte {offset} on: {}", path.display())
            }
        }
    }
}

impl Tree {
    /// Lists every file under `root`; empty folders do not count.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn of(root: impl Into<PathBuf>) -> io::Result<Self> {
        let root = root.into();
        let mut files = BTreeMap::new();
        collect(&root, Path::new(""), &mut files)?;
        Ok(Self { root, files })
    }

    /// The files by path relative to the root, each with its length in bytes.
    #[must_use]
    pub fn files(&self) -> &BTreeMap<PathBuf, u64> {
        &self.files
    }

    /// The sum of the lengths of all files, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.values().sum()
    }

    /// How `right` differs from this tree, in order of path; nothing when they are the same.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn differences(&self, right: &Self) -> io::Result<Vec<Difference>> {
        let mut differences = Vec::new();
        for path in self.files.keys() {
            if !right.files.contains_key(path) {
                differences.push(Difference::OnlyLeft(path.clone()));
            } else if let Some(offset) =
                first_difference(&self.root.join(path), &right.root.join(path))?
            {
                differences.push(Difference::Bytes {
                    path: path.clone(),
                    offset,
                });
            }
        }
        let only_right = right
            .files
            .keys()
            .filter(|path| !self.files.contains_key(*path));
        differences.extend(only_right.cloned().map(Difference::OnlyRight));
        Ok(differences)
    }

    /// Asserts that both trees hold the same files with the same bytes.
    ///
    /// # Panics
    /// With the first differences, when they do not.
    pub fn assert_same(&self, right: &Self) {
        let differences = self.differences(right).unwrap_or_else(|error| {
            panic!(
                "cannot compare {} and {}: {error}",
                self.root.display(),
                right.root.display()
            )
        });
        let first: Vec<String> = differences
            .iter()
            .take(10)
            .map(ToString::to_string)
            .collect();
        assert!(
            differences.is_empty(),
            "{} (left) and {} (right) differ in {} files:\n{}",
            self.root.display(),
            right.root.display(),
            differences.len(),
            first.join("\n")
        );
    }
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<PathBuf, u64>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        let metadata = fs::metadata(entry.path())?;
        if metadata.is_dir() {
            collect(root, &path, files)?;
        } else {
            files.insert(path, metadata.len());
        }
    }
    Ok(())
}

/// Where two files part, or `None` when they are the same.
fn first_difference(left: &Path, right: &Path) -> io::Result<Option<u64>> {
    let mut left = BufReader::with_capacity(64 * 1024, File::open(left)?);
    let mut right = BufReader::with_capacity(64 * 1024, File::open(right)?);
    let mut offset = 0;
    loop {
        let (ours, theirs) = (left.fill_buf()?, right.fill_buf()?);
        let length = ours.len().min(theirs.len());
        if let Some(at) = ours
            .iter()
            .zip(theirs)
            .position(|(one, other)| one != other)
        {
            return Ok(Some(offset + at as u64));
        }
        if length == 0 {
            return Ok((ours.len() != theirs.len()).then_some(offset));
        }
        offset += length as u64;
        left.consume(length);
        right.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, bytes) in files {
            let file = folder.path().join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, bytes).unwrap();
        }
        folder
    }

    fn differences(left: &[(&str, &[u8])], right: &[(&str, &[u8])]) -> Vec<Difference> {
        let (left, right) = (folder(left), folder(right));
        Tree::of(left.path())
            .unwrap()
            .differences(&Tree::of(right.path()).unwrap())
            .unwrap()
    }

    #[test]
    fn equal_folders_do_not_differ() {
        let large = vec![7; 200_000];
        let files: &[(&str, &[u8])] = &[("a/one.jpg", &large), ("two.jpg", b"")];
        assert_eq!(differences(files, files), []);
    }

    #[test]
    fn missing_added_and_changed_files_are_named_with_the_first_byte() {
        let mut changed = vec![7; 200_000];
        changed[150_000] = 8;
        let left: &[(&str, &[u8])] =
            &[("a/same", &[7; 200_000]), ("left", b"x"), ("short", b"abc")];
        let right: &[(&str, &[u8])] = &[("a/same", &changed), ("right", b"x"), ("short", b"ab")];
        assert_eq!(
            differences(left, right),
            [
                Difference::Bytes {
                    path: "a/same".into(),
                    offset: 150_000
                },
                Difference::OnlyLeft("left".into()),
                Difference::Bytes {
                    path: "short".into(),
                    offset: 2
                },
                Difference::OnlyRight("right".into()),
            ]
        );
    }

    #[test]
    #[should_panic(expected = "differ in 1 files:\nonly left: lost.jpg")]
    fn an_assertion_names_what_differs() {
        let (left, right) = (folder(&[("lost.jpg", b"x")]), folder(&[]));
        Tree::of(left.path())
            .unwrap()
            .assert_same(&Tree::of(right.path()).unwrap());
    }
}
