//! What Google knows: people and tokens, items and albums, uploads under way, quota used.

use std::collections::HashSet;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, RwLock};

use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::faults::Faults;
use crate::ledger::Ledger;
use crate::switches::Switches;
use crate::sync::{lock, read, write};

pub(crate) mod album;
pub(crate) mod ids;
pub(crate) mod item;
pub(crate) mod people;
pub(crate) mod picker;
pub(crate) mod quota;
pub(crate) mod shelf;
pub(crate) mod uploads;

/// All state of one emulator. Each part has its own lock; none is held while another is taken, except people
/// before shelf.
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) clock: Clock,
    switches: RwLock<Arc<Switches>>,
    pub(crate) faults: Faults,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) people: RwLock<people::People>,
    pub(crate) shelf: RwLock<shelf::Shelf>,
    pub(crate) uploads: Mutex<uploads::Uploads>,
    pub(crate) picker: Mutex<picker::Picker>,
    pub(crate) quota: Mutex<quota::Quota>,
    writers: Mutex<HashSet<u16>>,
    /// The one browser of the download proxy.
    pub(crate) proxy: Arc<Semaphore>,
    /// Base URLs issued before this moment are expired.
    pub(crate) urls_valid_from: AtomicI64,
}

impl World {
    pub(crate) fn new(seed: u64, switches: Switches, ledger: Ledger) -> Self {
        Self {
            seed,
            clock: Clock::default(),
            switches: RwLock::new(Arc::new(switches)),
            faults: Faults::new(seed),
            ledger: Arc::new(ledger),
            people: RwLock::default(),
            shelf: RwLock::default(),
            uploads: Mutex::default(),
            picker: Mutex::default(),
            quota: Mutex::default(),
            writers: Mutex::default(),
            proxy: Arc::new(Semaphore::new(1)),
            urls_valid_from: AtomicI64::new(i64::MIN),
        }
    }

    /// The switches as they stand now.
    pub(crate) fn switches(&self) -> Arc<Switches> {
        Arc::clone(&read(&self.switches))
    }

    pub(crate) fn set_switches(&self, switches: Switches) {
        *write(&self.switches) = Arc::new(switches);
    }

    /// Takes the write lock of an account; `None` while another write of it runs.
    pub(crate) fn begin_write(self: &Arc<Self>, account: u16) -> Option<Writing> {
        lock(&self.writers).insert(account).then(|| Writing {
            world: Arc::clone(self),
            account,
        })
    }
}

/// Holds the write lock of an account until it is dropped.
pub(crate) struct Writing {
    world: Arc<World>,
    account: u16,
}

impl Drop for Writing {
    fn drop(&mut self) {
        lock(&self.world.writers).remove(&self.account);
    }
}
