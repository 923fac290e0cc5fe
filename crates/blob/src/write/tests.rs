//! Disks that are full or read-only: typed errors, nothing visible, nothing left behind, and on it goes when mended.

use std::{
    fs::{self, File},
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use chrono::DateTime;
use tempfile::TempDir;
use tintype_model::{ArchiveId, ErrorKind, plan::Layout};
use tintype_ports::{
    Archive, ArchiveError,
    archive::{Placement, Staged},
};

use super::{Disk, RealDisk};
use crate::{
    archive::open_on,
    settings::{ArchiveSettings, Root, Spool},
};

/// A disk that takes so many bytes, then says `error`.
#[derive(Default)]
struct Failing {
    left: AtomicU64,
    error: i32,
    on_sync: AtomicBool,
    on_names: AtomicBool,
    refuses_direct: bool,
}

impl Failing {
    fn full_after(bytes: u64) -> Self {
        let error = rustix::io::Errno::NOSPC.raw_os_error();
        Self {
            left: AtomicU64::new(bytes),
            error,
            ..Self::default()
        }
    }

    fn fail(&self) -> io::Error {
        io::Error::from_raw_os_error(self.error)
    }

    fn mend(&self) {
        self.left.store(u64::MAX, Ordering::SeqCst);
        self.on_sync.store(false, Ordering::SeqCst);
        self.on_names.store(false, Ordering::SeqCst);
    }
}

impl Disk for Failing {
    fn set_direct(&self, file: &File, direct: bool) -> io::Result<()> {
        RealDisk.set_direct(file, direct)
    }

    fn write_at(&self, file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
        let is_direct = || rustix::fs::fcntl_getfl(file).is_ok_and(has_direct);
        if self.refuses_direct && is_direct() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let left = self.left.load(Ordering::SeqCst);
        let fits = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        // A full disk takes what fits before it says so.
        RealDisk.write_at(file, &bytes[..fits], at)?;
        self.left.store(left - fits as u64, Ordering::SeqCst);
        if fits < bytes.len() {
            return Err(self.fail());
        }
        Ok(())
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        if self.on_sync.load(Ordering::SeqCst) {
            Err(self.fail())
        } else {
            RealDisk.sync(file)
        }
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        if self.on_names.load(Ordering::SeqCst) {
            return Err(self.fail());
        }
        RealDisk.sync_folder(folder)
    }

    fn syncs_file_system(&self, root: &Path) -> bool {
        RealDisk.syncs_file_system(root)
    }

    fn sync_file_system(&self, root: &Path) -> io::Result<()> {
        if self.on_sync.load(Ordering::SeqCst) {
            return Err(self.fail());
        }
        RealDisk.sync_file_system(root)
    }
}

#[cfg(target_os = "linux")]
fn has_direct(flags: rustix::fs::OFlags) -> bool {
    flags.contains(rustix::fs::OFlags::DIRECT)
}

#[cfg(not(target_os = "linux"))]
fn has_direct(_flags: rustix::fs::OFlags) -> bool {
    false
}

struct Bench {
    folder: TempDir,
    disk: Arc<Failing>,
    archive: Arc<dyn Archive>,
}

fn bench(disk: Failing) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(disk);
    let settings = ArchiveSettings {
        root: Root::LocalFolder {
            path: folder.path().to_owned(),
        },
        archive: ArchiveId::new(DateTime::UNIX_EPOCH, [1; 10]),
        layout: Layout::Archive,
        recipients: vec![],
        signing_key: [0; 32],
        local_folders: true,
        spool: Spool {
            folder: folder.path().to_owned(),
            bytes: 0,
        },
        identity: None,
    };
    let shared: Arc<dyn Disk> = Arc::<Failing>::clone(&disk);
    let archive = open_on(settings, shared).unwrap();
    Bench {
        folder,
        disk,
        archive,
    }
}

impl Bench {
    async fn stage(&self, seed: u8, length: usize) -> Result<Staged, ArchiveError> {
        let mut draft = self.archive.draft().await?;
        for _ in 0..length.div_ceil(100_000) {
            draft
                .write(Bytes::from(vec![seed; length.min(100_000)]))
                .await?;
        }
        draft.finish(Placement::ByContent).await
    }

    async fn store(&self, seed: u8, length: usize) -> Result<(), ArchiveError> {
        let staged = self.stage(seed, length).await?;
        self.archive.commit(vec![staged]).await.remove(0)
    }

    fn visible(&self) -> usize {
        let folders = fs::read_dir(self.folder.path().join("objects"))
            .into_iter()
            .flatten();
        folders
            .map(|it| fs::read_dir(it.unwrap().path()).unwrap().count())
            .sum()
    }

    /// Staged files; the lock of the session does not count.
    fn staged(&self) -> usize {
        let sessions = fs::read_dir(self.folder.path().join(".staging"))
            .into_iter()
            .flatten();
        let folders = sessions
            .map(|it| it.unwrap().path())
            .filter(|path| path.is_dir());
        folders
            .map(|path| fs::read_dir(path).unwrap().count())
            .sum()
    }
}

#[tokio::test]
async fn a_disk_that_fills_up_in_mid_object_shows_none_of_it_and_takes_it_when_there_is_room() {
    for length in [1_000, 300_000, 3_000_000] {
        let bench = bench(Failing::full_after(length as u64 / 2));
        let error = bench.store(1, length).await.unwrap_err();
        assert!(matches!(error, ArchiveError::Full(_)), "{error}");
        assert_eq!(error.kind(), ErrorKind::DestinationFull);
        assert_eq!((bench.visible(), bench.staged()), (0, 0));
        bench.disk.mend();
        bench.store(1, length).await.unwrap();
        assert_eq!((bench.visible(), bench.staged()), (1, 0));
    }
}

#[tokio::test]
async fn on_a_disk_that_fills_up_each_object_is_whole_or_not_there() {
    let bench = bench(Failing::full_after(25_500));
    let mut group = Vec::new();
    let mut refused = 0;
    for seed in 0..10 {
        match bench.stage(seed, 5_000).await {
            Ok(staged) => group.push(staged),
            Err(ArchiveError::Full(_)) => refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(refused > 0 && !group.is_empty());
    let paths: Vec<String> = group.iter().map(|staged| staged.path.clone()).collect();
    let results = bench.archive.commit(group).await;
    assert!(results.iter().all(Result::is_ok));
    for path in &paths {
        let found = fs::metadata(bench.folder.path().join(path)).unwrap();
        assert_eq!(found.len(), 5_000);
    }
    assert_eq!((bench.visible(), bench.staged()), (paths.len(), 0));
}

#[tokio::test]
async fn a_group_whose_bytes_cannot_be_made_durable_shows_none_of_it() {
    let bench = bench(Failing::full_after(u64::MAX));
    let mut group = Vec::new();
    for seed in 0..10 {
        group.push(bench.stage(seed, 5_000).await.unwrap());
    }
    bench.disk.on_sync.store(true, Ordering::SeqCst);
    let results = bench.archive.commit(group).await;
    let failed = results.iter().filter(|it| it.is_err()).count();
    // Where the file system is not synced as a whole, each file was synced as it was staged.
    let synced_before = !RealDisk.syncs_file_system(bench.folder.path());
    assert_eq!(failed, if synced_before { 0 } else { 10 });
    assert_eq!((bench.visible(), bench.staged()), (10 - failed, 0));
}

#[tokio::test]
async fn a_file_system_that_refuses_direct_writes_after_all_gets_ordinary_ones() {
    let disk = Failing {
        refuses_direct: true,
        ..Failing::full_after(u64::MAX)
    };
    let bench = bench(disk);
    for length in [1, 5_000, 3_000_000] {
        let staged = bench.stage(3, length).await.unwrap();
        let path = bench.folder.path().join(&staged.path);
        assert!(bench.archive.commit(vec![staged]).await[0].is_ok());
        let bytes = fs::read(path).unwrap();
        assert!(bytes.len() == length && bytes.iter().all(|it| *it == 3));
    }
}

#[tokio::test]
async fn bytes_that_cannot_be_made_durable_never_become_visible() {
    let disk = Failing {
        on_sync: AtomicBool::new(true),
        ..Failing::full_after(u64::MAX)
    };
    let bench = bench(disk);
    for length in [1_000, 3_000_000] {
        let error = bench.store(1, length).await.unwrap_err();
        assert!(matches!(error, ArchiveError::Full(_)), "{error}");
        assert_eq!((bench.visible(), bench.staged()), (0, 0));
    }
}

#[tokio::test]
async fn names_that_cannot_be_made_durable_do_not_count() {
    let disk = Failing {
        on_names: AtomicBool::new(true),
        ..Failing::full_after(u64::MAX)
    };
    let bench = bench(disk);
    assert!(bench.store(1, 1_000).await.is_err());
    bench.disk.mend();
    bench.store(1, 1_000).await.unwrap();
    assert_eq!(bench.visible(), 1);
}

#[tokio::test]
async fn a_read_only_disk_is_told_from_a_full_one() {
    let errors = [
        (rustix::io::Errno::ROFS, ErrorKind::DestinationReadOnly),
        (rustix::io::Errno::ACCESS, ErrorKind::DestinationReadOnly),
        (rustix::io::Errno::DQUOT, ErrorKind::DestinationFull),
        (rustix::io::Errno::FBIG, ErrorKind::DestinationFull),
        (rustix::io::Errno::IO, ErrorKind::Unavailable),
    ];
    for (errno, kind) in errors {
        let bench = bench(Failing {
            error: errno.raw_os_error(),
            ..Failing::default()
        });
        assert_eq!(bench.store(1, 1_000).await.unwrap_err().kind(), kind);
        assert_eq!((bench.visible(), bench.staged()), (0, 0));
    }
}

#[tokio::test]
async fn a_failed_draft_begins_anew_after_a_restart() {
    let bench = bench(Failing::full_after(10));
    let mut draft = bench.archive.draft().await.unwrap();
    assert!(draft.write(Bytes::from(vec![1; 600_000])).await.is_err());
    assert!(draft.write(Bytes::from_static(b"more")).await.is_err());
    bench.disk.mend();
    draft.restart().await.unwrap();
    draft.write(Bytes::from_static(b"whole")).await.unwrap();
    let staged = draft.finish(Placement::ByContent).await.unwrap();
    assert_eq!(staged.size, 5);
    assert!(bench.archive.commit(vec![staged]).await[0].is_ok());
}
