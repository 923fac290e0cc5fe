//! One sync of the file system for everybody who waits for one.

use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tintype_ports::ArchiveError;
use tokio::sync::Mutex;

use super::disk::Disk;
use crate::errors::{self, blocking};

/// Syncs the file system below a root, one sync at a time.
pub(super) struct SharedSync {
    root: Arc<Path>,
    disk: Arc<dyn Disk>,
    /// Syncs asked for so far.
    asked: AtomicU64,
    last: Mutex<Last>,
}

/// What the last sync was good for.
struct Last {
    /// It began after this many had been asked for.
    covers: u64,
    failed: Option<ArchiveError>,
}

impl SharedSync {
    pub(super) fn new(root: Arc<Path>, disk: Arc<dyn Disk>) -> Self {
        Self {
            root,
            disk,
            asked: AtomicU64::new(0),
            last: Mutex::new(Last {
                covers: 0,
                failed: None,
            }),
        }
    }

    /// Returns when a sync has ended that began after this call.
    pub(super) async fn after_now(&self) -> Result<(), ArchiveError> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let mut last = self.last.lock().await;
        if last.covers < number {
            // Whoever asked up to here, and waits for the lock, has written before the sync begins.
            let covers = self.asked.load(Ordering::SeqCst);
            let (root, disk) = (Arc::clone(&self.root), Arc::clone(&self.disk));
            let synced = blocking(move || {
                let synced = disk.sync_file_system(&root);
                synced.map_err(|error: io::Error| errors::of_file(root.display(), &error))
            });
            last.failed = synced.await.err();
            last.covers = covers;
        }
        match &last.failed {
            Some(error) => Err(errors::again(error)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::File, sync::atomic::AtomicBool, time::Duration};

    use futures::future::join_all;

    use super::*;

    /// Counts syncs, and takes a while for each.
    #[derive(Default)]
    struct Slow {
        syncs: AtomicU64,
        fails: AtomicBool,
    }

    impl Disk for Slow {
        fn set_direct(&self, _file: &File, _direct: bool) -> io::Result<()> {
            Ok(())
        }

        fn write_at(&self, _file: &File, _bytes: &[u8], _at: u64) -> io::Result<()> {
            Ok(())
        }

        fn sync(&self, _file: &File) -> io::Result<()> {
            Ok(())
        }

        fn sync_folder(&self, _folder: &Path) -> io::Result<()> {
            Ok(())
        }

        fn syncs_file_system(&self, _root: &Path) -> bool {
            true
        }

        fn sync_file_system(&self, _root: &Path) -> io::Result<()> {
            std::thread::sleep(Duration::from_millis(20));
            self.syncs.fetch_add(1, Ordering::SeqCst);
            if self.fails.load(Ordering::SeqCst) {
                return Err(io::ErrorKind::StorageFull.into());
            }
            Ok(())
        }
    }

    #[tokio::test]
    async fn whoever_waits_shares_the_next_sync_and_its_failure() {
        let disk = Arc::new(Slow::default());
        let shared: Arc<dyn Disk> = Arc::<Slow>::clone(&disk);
        let sync = SharedSync::new(Path::new("/").into(), shared);
        for fails in [false, true, false] {
            disk.fails.store(fails, Ordering::SeqCst);
            let before = disk.syncs.load(Ordering::SeqCst);
            let all = join_all((0..40).map(|_| sync.after_now())).await;
            assert!(all.iter().all(|it| it.is_err() == fails));
            let took = disk.syncs.load(Ordering::SeqCst) - before;
            assert!((1..=2).contains(&took), "{took} syncs for 40 that wait");
        }
    }

    #[tokio::test]
    async fn a_sync_that_began_before_does_not_count() {
        let disk = Arc::new(Slow::default());
        let shared: Arc<dyn Disk> = Arc::<Slow>::clone(&disk);
        let sync = Arc::new(SharedSync::new(Path::new("/").into(), shared));
        let first = Arc::clone(&sync);
        let first = tokio::spawn(async move { first.after_now().await });
        tokio::time::sleep(Duration::from_millis(5)).await;
        sync.after_now().await.unwrap();
        first.await.unwrap().unwrap();
        assert_eq!(disk.syncs.load(Ordering::SeqCst), 2);
    }
}
