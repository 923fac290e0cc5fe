//! A small world to try promises in: one tenant with two storages and a plan.

use std::{
    any::Any,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use tintype_model::{
    ArchiveId, BlobHash, ErrorKind, Fidelity, PlanId, RunId, ShardId, SnapshotId, StorageId,
    TenantId, WorkerId,
    fidelity::{Channel, Dimensions, Encoding, Location},
    item::{CameraFacts, ItemFault, ItemMetadata, MediaKind, ProviderId, StoredContent},
    plan::{Layout, Plan, PlanKind, PlanOptions},
    progress::Progress,
    run::{Run, RunMode, RunState, RunStatus},
    shard::{Lease, Shard, ShardKind},
    snapshot::Snapshot,
    storage::{GooglePhotosSettings, Storage, StorageSettings},
    tenant::Tenant,
};

use crate::{
    Store,
    fake::ManualClock,
    store::{ItemUpsert, LeaseAnswer, Outcome, PageWrite},
};

/// Where the runs of these worlds belong in a trace.
pub(super) const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// Failures in a row after which a shard is set aside.
pub(super) const MAX_FAILURES: u32 = 3;
/// A lease long enough for a test.
pub(super) const LONG: Duration = Duration::from_secs(600);
/// A lease that a test lets expire.
pub(super) const SHORT: Duration = Duration::from_millis(250);

/// An empty store.
pub struct StoreUnderTest {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The clock its leases go by; `None` when that is the real time.
    pub clock: Option<Arc<ManualClock>>,
    /// What must live as long as the store, such as its folder or database.
    pub keep: Box<dyn Any + Send + Sync>,
}

/// One tenant with two storages and a plan.
pub struct World {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The tenant.
    pub tenant: TenantId,
    /// Its plan.
    pub plan: Plan,
    clock: Option<Arc<ManualClock>>,
    _keep: Arc<dyn Any + Send + Sync>,
}

/// Times in tests have whole microseconds, which is what every database keeps.
pub(super) fn instant(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH
        + TimeDelta::seconds(1_780_000_000 + seconds)
        + TimeDelta::microseconds(123_456)
}

fn id_bytes() -> [u8; 10] {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut bytes = [0; 10];
    bytes[2..].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    bytes
}

/// A new id.
pub(super) fn new_id<T>(make: fn(DateTime<Utc>, [u8; 10]) -> T) -> T {
    make(instant(0), id_bytes())
}

pub(super) fn provider_id(text: &str) -> ProviderId {
    text.parse().expect("a provider id")
}

pub(super) fn item_id(seq: u64) -> ProviderId {
    provider_id(&format!("item-{seq}"))
}

/// What a listing shows of item `seq`.
pub(super) fn metadata(seq: u64) -> ItemMetadata {
    ItemMetadata {
        filename: format!("IMG_{seq}.JPG"),
        mime_type: "image/jpeg".into(),
        kind: MediaKind::Photo,
        description: Some("the sea".into()),
        created_at: Some(instant(0)),
        dimensions: Some(Dimensions {
            width: 4032,
            height: 3024,
        }),
        camera: CameraFacts {
            make: Some("Fuji".into()),
            focal_length: Some(23.0),
            ..CameraFacts::default()
        },
        video_status: None,
        file: None,
    }
}

pub(super) fn upsert(seq: u64, shard: Option<ShardId>) -> ItemUpsert {
    ItemUpsert {
        seq,
        provider_id: item_id(seq),
        metadata: metadata(seq),
        shard,
    }
}

pub(super) fn content(seq: u64) -> StoredContent {
    StoredContent {
        blob: BlobHash::of(&seq.to_le_bytes()),
        size: 1_000 + seq,
        path: format!("objects/{seq}"),
        fidelity: Fidelity {
            channel: Channel::AppCreated,
            encoding: Encoding::Download,
            promised: Some(Dimensions {
                width: 4032,
                height: 3024,
            }),
            got: None,
            location: Location::Absent,
        },
    }
}

pub(super) fn stored(seq: u64) -> Outcome {
    Outcome {
        seq,
        result: Ok(content(seq)),
    }
}

pub(super) fn fault() -> ItemFault {
    ItemFault {
        kind: ErrorKind::Corrupt,
        message: "short by 3 bytes".into(),
    }
}

pub(super) fn failed(seq: u64) -> Outcome {
    Outcome {
        seq,
        result: Err(fault()),
    }
}

impl World {
    /// Fills an empty store.
    ///
    /// # Panics
    /// When the store refuses.
    pub async fn new(under_test: StoreUnderTest) -> Self {
        let StoreUnderTest { store, clock, keep } = under_test;
        Self::add_tenant(store, clock, keep.into(), "home").await
    }

    /// Another tenant in the same store.
    pub(super) async fn neighbour(&self, name: &str) -> Self {
        Self::add_tenant(
            Arc::clone(&self.store),
            self.clock.clone(),
            Arc::clone(&self._keep),
            name,
        )
        .await
    }

    async fn add_tenant(
        store: Arc<dyn Store>,
        clock: Option<Arc<ManualClock>>,
        keep: Arc<dyn Any + Send + Sync>,
        name: &str,
    ) -> Self {
        let tenant = Tenant {
            id: new_id(TenantId::new),
            name: name.into(),
            weight: 3,
            max_shards: None,
            created_at: instant(0),
        };
        store.add_tenant(&tenant).await.expect("a tenant");
        let photos = storage(tenant.id, "photos");
        let disk = storage(tenant.id, "disk");
        for storage in [&photos, &disk] {
            store.add_storage(storage).await.expect("a storage");
        }
        let plan = plan(tenant.id, "backup", photos.id, disk.id);
        store.add_plan(&plan, None).await.expect("a plan");
        Self {
            store,
            tenant: tenant.id,
            plan,
            clock,
            _keep: keep,
        }
    }

    /// Lets time pass for leases.
    pub(super) async fn pass(&self, time: Duration) {
        match &self.clock {
            Some(clock) => clock.advance(TimeDelta::from_std(time).expect("a short time")),
            None => tokio::time::sleep(time).await,
        }
    }

    pub(super) fn shard(&self, run: RunId, kind: ShardKind) -> Shard {
        let id = new_id(ShardId::new);
        Shard {
            id,
            tenant: self.tenant,
            run,
            plan: self.plan.id,
            kind,
            items: 1,
        }
    }

    pub(super) fn new_run(&self, created: i64) -> (Run, Shard) {
        let run = Run {
            id: new_id(RunId::new),
            tenant: self.tenant,
            plan: self.plan.id,
            mode: RunMode::Full,
            status: RunStatus::plain(RunState::Queued),
            snapshot: None,
            trace: Some(TRACE.parse().expect("a trace")),
            created_at: instant(created),
            ended_at: None,
        };
        let first = self.shard(run.id, ShardKind::Enumerate);
        (run, first)
    }

    /// Starts a run.
    pub(super) async fn start(&self) -> (Run, Shard) {
        let (run, first) = self.new_run(0);
        self.store.start_run(&run, &first).await.expect("a run");
        (run, first)
    }

    /// Starts a run and leases its listing.
    pub(super) async fn listing(&self) -> (Run, Lease) {
        let (run, first) = self.start().await;
        let lease = self.lease(&first).await;
        (run, lease)
    }

    pub(super) async fn try_lease(&self, shard: &Shard, ttl: Duration) -> LeaseAnswer {
        self.store
            .lease(
                self.tenant,
                shard.id,
                new_id(WorkerId::new),
                ttl,
                MAX_FAILURES,
            )
            .await
            .expect("an answer")
    }

    pub(super) async fn lease_for(&self, shard: &Shard, ttl: Duration) -> Lease {
        match self.try_lease(shard, ttl).await {
            LeaseAnswer::Granted(lease) => *lease,
            other => panic!("the lease of {} should be granted, not {other:?}", shard.id),
        }
    }

    pub(super) async fn lease(&self, shard: &Shard) -> Lease {
        self.lease_for(shard, LONG).await
    }

    /// A listing that showed items `seqs`, all of them waiting in one new shard.
    pub(super) async fn list(&self, listing: &Lease, seqs: std::ops::Range<u64>) -> Shard {
        let items = u32::try_from(seqs.end - seqs.start).expect("a few");
        let shard = Shard {
            items,
            ..self.shard(listing.shard.run, ShardKind::Transfer)
        };
        let page = PageWrite {
            items: seqs.map(|seq| upsert(seq, Some(shard.id))).collect(),
            shards: vec![shard.clone()],
            ..PageWrite::default()
        };
        self.store.write_page(listing, &page).await.expect("a page");
        shard
    }

    /// Ends the run.
    pub(super) async fn end(&self, run: RunId, from: RunState) {
        let to = RunStatus::plain(RunState::Cancelled);
        let changed = self
            .store
            .set_run_status(self.tenant, run, from, &to, instant(60))
            .await;
        assert!(changed.expect("a change"));
    }

    /// Moves the run from one state to another.
    pub(super) async fn set(&self, run: RunId, from: RunState, to: RunState) {
        let to = RunStatus::plain(to);
        let changed = self
            .store
            .set_run_status(self.tenant, run, from, &to, instant(30))
            .await;
        assert!(changed.expect("a change"));
    }

    pub(super) fn snapshot(&self, run: RunId, created: i64) -> Snapshot {
        Snapshot {
            id: new_id(SnapshotId::new),
            tenant: self.tenant,
            plan: self.plan.id,
            run,
            manifest_hash: BlobHash::of(&created.to_le_bytes()),
            items: 12,
            bytes: 34_567,
            created_at: instant(created),
        }
    }
}

pub(super) fn storage(tenant: TenantId, name: &str) -> Storage {
    let project = "123456789012".parse().expect("a project");
    Storage {
        id: new_id(StorageId::new),
        tenant,
        name: name.into(),
        settings: StorageSettings::GooglePhotos(GooglePhotosSettings::new(project)),
        created_at: instant(1),
    }
}

pub(super) fn plan(
    tenant: TenantId,
    name: &str,
    source: StorageId,
    destination: StorageId,
) -> Plan {
    Plan {
        id: new_id(PlanId::new),
        tenant,
        kind: PlanKind::Backup,
        name: name.into(),
        source,
        destination,
        archive: new_id(ArchiveId::new),
        options: PlanOptions {
            layout: Layout::Mirror,
            recipients: vec!["age1xyz".into()],
            upload: None,
        },
        schedule: None,
        created_at: instant(2),
    }
}

/// Counts that can be told apart.
pub(super) fn counts(unit: u64) -> Progress {
    Progress {
        listed: unit,
        new: 2 * unit,
        changed: 3 * unit,
        gone: 4 * unit,
        queued: 5 * unit,
        stored: 6 * unit,
        failed: 7 * unit,
        originals: 11 * unit,
        bytes: 8 * unit,
        requests: 9 * unit,
        downloads: 10 * unit,
    }
}
