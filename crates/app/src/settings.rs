//! How the engine works: bounds and intervals. Defaults suit one process on one machine.

use std::time::Duration;

/// Bounds and intervals of the engine.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Shards this process works on at the same time.
    pub slots: usize,
    /// Slots of all workers together that one tenant leaves to the others, even while they have nothing to do: whoever comes
    /// finds one free. Downloads are what is scarce, not slots, so a tenant that is alone loses nothing by it.
    pub spare_slots: usize,
    /// How long a tenant may be left without the slots that are its share before they are taken back from whom they are lent to.
    pub lent_for: Duration,
    /// Items in a shard, at most.
    pub shard_items: usize,
    /// Downloads at the same time, at the start.
    pub initial_downloads: u32,
    /// Downloads at the same time, at most; the engine finds the right number below it by itself.
    pub max_downloads: u32,
    /// Plain bytes that one group commit gathers, at most. They lie in staged files, so large groups cost little memory and
    /// share one wait for the disk.
    pub group_bytes: u64,
    /// Items that one group commit gathers, at most.
    pub group_items: usize,
    /// Bytes of items that are on their way to Google, at most, where a whole item is held until it is sent.
    pub upload_memory: u64,
    /// How long a lease lives without renewal.
    pub lease: Duration,
    /// Failures of a shard in a row, its work broken off by a defect or its worker vanished, after which it is set aside for
    /// a person to look at.
    pub max_failures: u32,
    /// The longest pause after trouble of ours or of a server of ours, so that work goes on soon after it is over.
    pub outage_pause: Duration,
    /// What people see of this worker: where it runs.
    pub worker_name: String,
    /// How long the leading scheduler leads without a sign of life.
    pub lead: Duration,
    /// How long a dispatched message may take to become a lease.
    pub dispatch_patience: Duration,
    /// How often the scheduler looks by itself, when nothing woke it.
    pub tick: Duration,
    /// How often all accounts are looked after: used so that they live on, and warned of. A new one is left to its person for as
    /// long.
    pub accounts_every: Duration,
    /// First pause before a shard with unavailable items is tried again; doubles each time, up to 20 times as long.
    pub shard_backoff: Duration,
    /// Leases after which items that are still unavailable count as failed.
    pub shard_attempts: u32,
    /// How long after destination trouble the run looks by itself whether it was mended.
    pub mend_interval: Duration,
    /// How often a run that waits for a person to pick is looked at, at most: less often the longer it takes.
    pub pick_poll: Duration,
    /// Stored items whose originals one run asks a download proxy for, at most. At 5 to 10 seconds each it is done in about an hour, so
    /// that new photos do not wait for days; the next run goes on.
    pub originals_per_run: u32,
    /// Pages between two checkpoints of a listing that changes nothing.
    pub checkpoint_pages: u32,
    /// Base URLs kept between listing and download, at most.
    pub url_cache: usize,
    /// How long a base URL is trusted until experience says less.
    pub url_lifetime: Duration,
    /// Downloads in a row that Google throttled, with none answered in between, before the cloud project rests.
    pub throttle_limit: u32,
    /// The project's first rest; doubles each time that nothing was answered since, up to 16 times as long.
    pub throttle_rest: Duration,
    /// Items of credit that a tenant keeps from idle time, and by which a short run may go first.
    pub fair_burst: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            slots: 6,
            spare_slots: 2,
            lent_for: Duration::from_secs(2),
            shard_items: 200,
            initial_downloads: 8,
            max_downloads: 256,
            group_bytes: 48 << 20,
            group_items: 256,
            upload_memory: 32 << 20,
            lease: Duration::from_secs(30),
            max_failures: 5,
            outage_pause: Duration::from_secs(15),
            worker_name: "this process".into(),
            lead: Duration::from_secs(10),
            dispatch_patience: Duration::from_secs(60),
            tick: Duration::from_millis(500),
            accounts_every: Duration::from_secs(300),
            shard_backoff: Duration::from_secs(15),
            shard_attempts: 6,
            mend_interval: Duration::from_secs(60),
            pick_poll: Duration::from_secs(5),
            originals_per_run: 500,
            checkpoint_pages: 32,
            url_cache: 10_000,
            url_lifetime: Duration::from_secs(50 * 60),
            throttle_limit: 24,
            throttle_rest: Duration::from_secs(120),
            fair_burst: 2_000,
        }
    }
}
