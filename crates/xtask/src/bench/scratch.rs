//! Where the benchmark writes, and what machine it runs on.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use anyhow::{Context, Result};
use serde::Serialize;
use tempfile::TempDir;

/// How the names of folders that were set aside begin.
const ASIDE: &str = "aside-";

/// A folder that goes with the benchmark.
pub(super) struct Scratch {
    folder: TempDir,
    set_aside: AtomicU32,
}

impl Scratch {
    /// A new folder inside `parent`, which is made when it is missing.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn inside(parent: &Path) -> Result<Self> {
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        let folder = tempfile::Builder::new()
            .prefix("run-")
            .tempdir_in(parent.canonicalize()?)?;
        Ok(Self {
            folder,
            set_aside: AtomicU32::new(0),
        })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A new, empty folder. The disk is left in peace first: what the run before wrote is written out, and set aside instead
    /// of removed. A file system may look at every file that was removed of late before it makes a new one (ext4 does so for
    /// up to five minutes), which would be in the figures of whoever runs next.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn fresh(&self, name: &str) -> Result<PathBuf> {
        let folder = self.path().join(name);
        if folder.exists() {
            let number = self.set_aside.fetch_add(1, Ordering::Relaxed);
            fs::rename(&folder, self.path().join(format!("{ASIDE}{number}")))?;
        }
        fs::create_dir(&folder)?;
        rustix::fs::sync();
        Ok(folder)
    }

    /// Removes what was set aside.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub(super) fn clear(&self) -> Result<()> {
        for number in 0..self.set_aside.load(Ordering::Relaxed) {
            remove(&self.path().join(format!("{ASIDE}{number}")))?;
        }
        Ok(())
    }
}

/// Removes a folder and all in it, if it is there.
fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// How many files a folder holds, at any depth, and their bytes.
pub(super) fn count(folder: &Path) -> Result<(u64, u64)> {
    let (mut files, mut bytes) = (0, 0);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            let (more_files, more_bytes) = count(&entry.path())?;
            files += more_files;
            bytes += more_bytes;
        } else {
            files += 1;
            bytes += entry.metadata()?.len();
        }
    }
    Ok((files, bytes))
}

/// What the figures were taken on.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Machine {
    pub(super) cores: usize,
    pub(super) processor: String,
    pub(super) memory_gib: u64,
    /// Of the folder written to.
    pub(super) file_system: String,
    /// Processes that wanted a core in the minute before: above a few tenths, others were at work.
    pub(super) load_before: String,
}

impl Machine {
    /// Asks the system; what it does not say is `?`.
    pub(super) fn of(folder: &Path) -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let unknown = || "?".to_owned();
        Self {
            cores: thread::available_parallelism().map_or(1, usize::from),
            processor: value(&read("/proc/cpuinfo"), "model name").unwrap_or_else(unknown),
            memory_gib: memory_gib(&read("/proc/meminfo")).unwrap_or(0),
            file_system: file_system_of(folder),
            load_before: read("/proc/loadavg")
                .split(' ')
                .next()
                .map_or_else(unknown, str::to_owned),
        }
    }
}

/// The type of the file system that `folder` lies on, or `?`.
pub(super) fn file_system_of(folder: &Path) -> String {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    file_system(&mounts, folder).unwrap_or_else(|| "?".to_owned())
}

/// The text behind `name:` in its line.
fn value(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn memory_gib(meminfo: &str) -> Option<u64> {
    let total = value(meminfo, "MemTotal")?;
    let kib: u64 = total.strip_suffix("kB")?.trim().parse().ok()?;
    Some((kib + 512 * 1024) / (1024 * 1024))
}

/// The type of the innermost mount around `folder`.
fn file_system(mounts: &str, folder: &Path) -> Option<String> {
    let around = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let (point, kind) = (Path::new(fields.next()?), fields.next()?);
        folder.starts_with(point).then_some((point, kind))
    });
    let innermost = around.max_by_key(|(point, _)| point.components().count())?;
    Some(innermost.1.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_mount_names_the_file_system() {
        let mounts = "/dev/vda / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\nproc /proc proc rw 0 0\n";
        let of = |folder: &str| file_system(mounts, Path::new(folder));
        assert_eq!(of("/tmp/bench").as_deref(), Some("tmpfs"));
        assert_eq!(of("/tmpfiles").as_deref(), Some("ext4"));
    }

    #[test]
    fn files_are_counted_at_any_depth() {
        let scratch = tempfile::tempdir().unwrap();
        fs::create_dir_all(scratch.path().join("a/b")).unwrap();
        fs::write(scratch.path().join("a/b/one"), [0; 3]).unwrap();
        fs::write(scratch.path().join("two"), [0; 4]).unwrap();
        assert_eq!(count(scratch.path()).unwrap(), (2, 7));
    }
}
