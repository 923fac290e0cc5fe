//! The ledger: every call that reached the emulator, in order. Tests read it as the truth about what a client did.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use crate::kind::CallKind;
use crate::sync::lock;

const SHARDS: usize = 16;
/// HTTP statuses are counted at their own number; this is one more than the largest.
const STATUSES: usize = 600;

/// One call, as kept in memory. Names are resolved when it is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) number: u64,
    pub(crate) at_ms: i64,
    pub(crate) kind: CallKind,
    /// 0 when the connection was dropped without an answer.
    pub(crate) status: u16,
    pub(crate) account: Option<u16>,
    pub(crate) client: Option<u16>,
    pub(crate) item: Option<u64>,
    pub(crate) bytes: u64,
    pub(crate) range_start: Option<u64>,
    pub(crate) items: u32,
}

/// One call as `GET /__emulator/ledger` answers it.
#[derive(Debug, Clone, Serialize)]
pub struct LedgerEntry {
    /// Counts up by one per call, from 1.
    pub number: u64,
    /// When it was answered, milliseconds since the epoch by the emulator's clock.
    pub at_ms: i64,
    /// What was called.
    pub kind: CallKind,
    /// HTTP status; 0 when the connection was dropped without an answer.
    pub status: u16,
    /// Cloud project number, where a client is known.
    pub project: Option<String>,
    /// OAuth client id.
    pub client_id: Option<String>,
    /// The account's e-mail address.
    pub account: Option<String>,
    /// The media item, where the call is about one.
    pub item: Option<String>,
    /// Body bytes sent.
    pub bytes: u64,
    /// First byte of a `Range`.
    pub range_start: Option<u64>,
    /// Items that a `batchCreate` that was understood was to make.
    pub items: u32,
}

/// Counts since the start or the last reset.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LedgerSummary {
    /// Calls by kind.
    pub calls: BTreeMap<CallKind, u64>,
    /// Calls by kind and status.
    pub statuses: BTreeMap<CallKind, BTreeMap<u16, u64>>,
    /// Body bytes of all downloads.
    pub download_bytes: u64,
    /// Successful `=d`/`=dv` answers by media item id.
    pub downloads_per_item: BTreeMap<String, u64>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Ledger {
    keeps_entries: bool,
    capacity: usize,
    numbers: AtomicU64,
    entries: Mutex<VecDeque<Entry>>,
    counts: Vec<AtomicU64>,
    download_bytes: AtomicU64,
    downloads: [Mutex<HashMap<u64, u64>>; SHARDS],
}

impl Ledger {
    pub(crate) fn new(keeps_entries: bool, capacity: usize) -> Self {
        let cells = CallKind::ALL.len() * STATUSES;
        Self {
            keeps_entries,
            capacity: capacity.max(1),
            numbers: AtomicU64::new(0),
            entries: Mutex::new(VecDeque::new()),
            counts: std::iter::repeat_with(AtomicU64::default)
                .take(cells)
                .collect(),
            download_bytes: AtomicU64::new(0),
            downloads: std::array::from_fn(|_| Mutex::default()),
        }
    }

    /// Writes a call down; its number is set here and returned.
    pub(crate) fn record(&self, mut entry: Entry) -> u64 {
        let status = usize::from(entry.status).min(STATUSES - 1);
        self.counts[entry.kind.number() * STATUSES + status].fetch_add(1, Ordering::Relaxed);
        if entry.kind == CallKind::Download && matches!(entry.status, 200 | 206) {
            self.download_bytes
                .fetch_add(entry.bytes, Ordering::Relaxed);
            if let Some(item) = entry.item {
                *lock(self.shard(item)).entry(item).or_insert(0) += 1;
            }
        }
        if !self.keeps_entries {
            return self.numbers.fetch_add(1, Ordering::Relaxed) + 1;
        }
        let mut entries = lock(&self.entries);
        entry.number = self.numbers.fetch_add(1, Ordering::Relaxed) + 1;
        if entries.len() >= self.capacity {
            entries.pop_front();
        }
        entries.push_back(entry);
        entry.number
    }

    /// Corrects the bytes of a call whose body did not go out whole.
    pub(crate) fn sent(&self, number: u64, bytes: u64) {
        if !self.keeps_entries {
            return;
        }
        let mut entries = lock(&self.entries);
        let Some(first) = entries.front().map(|entry| entry.number) else {
            return;
        };
        let Some(place) = number
            .checked_sub(first)
            .and_then(|gap| usize::try_from(gap).ok())
        else {
            return;
        };
        if let Some(entry) = entries.get_mut(place) {
            entry.bytes = bytes;
        }
    }

    /// Up to `limit` entries after a number, of one kind if asked.
    pub(crate) fn read(&self, kind: Option<CallKind>, after: u64, limit: usize) -> Vec<Entry> {
        let entries = lock(&self.entries);
        let start = entries.partition_point(|entry| entry.number <= after);
        entries
            .range(start..)
            .filter(|entry| kind.is_none_or(|kind| entry.kind == kind))
            .take(limit)
            .copied()
            .collect()
    }

    /// Counts of one kind by status; status 0 is a dropped connection.
    pub(crate) fn statuses(&self, kind: CallKind) -> BTreeMap<u16, u64> {
        let first = kind.number() * STATUSES;
        let cells = self.counts[first..first + STATUSES].iter();
        (0_u16..)
            .zip(cells)
            .map(|(status, cell)| (status, cell.load(Ordering::Relaxed)))
            .filter(|(_, count)| *count > 0)
            .collect()
    }

    pub(crate) fn download_bytes(&self) -> u64 {
        self.download_bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn downloads_of(&self, item: u64) -> u64 {
        lock(self.shard(item)).get(&item).copied().unwrap_or(0)
    }

    pub(crate) fn downloads(&self) -> Vec<(u64, u64)> {
        let mut all = Vec::new();
        for shard in &self.downloads {
            all.extend(lock(shard).iter().map(|(item, count)| (*item, *count)));
        }
        all
    }

    /// Forgets entries and counts; numbers go on.
    pub(crate) fn reset(&self) {
        lock(&self.entries).clear();
        for cell in &self.counts {
            cell.store(0, Ordering::Relaxed);
        }
        self.download_bytes.store(0, Ordering::Relaxed);
        for shard in &self.downloads {
            lock(shard).clear();
        }
    }

    fn shard(&self, item: u64) -> &Mutex<HashMap<u64, u64>> {
        let spread = crate::mix::below(0, item, SHARDS as u64);
        &self.downloads[usize::try_from(spread).unwrap_or(0)]
    }
}
