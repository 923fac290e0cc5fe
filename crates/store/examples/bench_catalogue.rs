//! Items a second that the catalogue takes, with the durability settings of production. One JSON line a figure.
//!
//! `bench_catalogue sqlite PATH [ITEMS]` or `bench_catalogue postgres URL [ITEMS]`; the database should be empty.

use std::{
    env,
    error::Error,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use serde_json::json;
use tintype_model::{
    ArchiveId, BlobHash, Fidelity, PlanId, RunId, ShardId, StorageId, TenantId, WorkerId,
    fidelity::{Channel, Dimensions, Encoding, Location},
    item::{CameraFacts, ItemMetadata, MediaKind, StoredContent},
    plan::{Plan, PlanOptions},
    progress::Progress,
    run::{Run, RunMode, RunState, RunStatus},
    shard::{Lease, Shard, ShardKind},
    storage::{Storage, StorageSettings},
    tenant::Tenant,
};
use tintype_ports::{
    Clock, Store,
    store::{ItemUpsert, LeaseAnswer, Outcome, PageWrite},
};
use tintype_store::{PostgresSettings, PostgresStore, SqliteStore};

/// Items of a batch and of a shard.
const BATCH: u64 = 500;
const LOOK_UPS: u64 = 500;
const TTL: Duration = Duration::from_secs(3_600);

type Failure = Box<dyn Error + Send + Sync>;

/// A clock that stands still; nothing here waits for a lease.
#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::from_secs(1_780_000_000)
    }
}

fn id_bytes(number: u64) -> [u8; 10] {
    let mut bytes = [0; 10];
    bytes[2..].copy_from_slice(&number.to_be_bytes());
    bytes
}

/// As long as the ids of Google Photos.
fn provider_id(seq: u64) -> String {
    format!("AGj1epU5VMNoBGK9GDX3k_{seq:08}_{}", "x".repeat(50))
}

fn metadata(seq: u64) -> ItemMetadata {
    ItemMetadata {
        filename: format!("PXL_20240612_{seq:09}.jpg"),
        mime_type: "image/jpeg".into(),
        kind: MediaKind::Photo,
        description: None,
        created_at: Some(Still.now()),
        dimensions: Some(Dimensions {
            width: 4032,
            height: 3024,
        }),
        camera: CameraFacts {
            make: Some("Google".into()),
            model: Some("Pixel 8".into()),
            focal_length: Some(6.9),
            aperture: Some(1.68),
            iso: Some(52),
            exposure_time: Some("0.000752s".into()),
            fps: None,
        },
        video_status: None,
        file: None,
    }
}

fn outcome(seq: u64) -> Outcome {
    let blob = BlobHash::of(&seq.to_le_bytes());
    let text = blob.to_string();
    let fidelity = Fidelity {
        channel: Channel::AppCreated,
        encoding: Encoding::Download,
        promised: Some(Dimensions {
            width: 4032,
            height: 3024,
        }),
        got: Some(Dimensions {
            width: 4032,
            height: 3024,
        }),
        location: Location::Absent,
    };
    let path = format!("objects/{}/{text}", &text[..2]);
    Outcome {
        seq,
        result: Ok(StoredContent {
            blob,
            size: 204_800,
            path,
            fidelity,
        }),
    }
}

/// A plan with a run, and the lease of its listing.
async fn begin(store: &dyn Store) -> Result<Lease, Failure> {
    let now = Still.now();
    let tenant = TenantId::new(now, id_bytes(0));
    store
        .add_tenant(&Tenant {
            id: tenant,
            name: "bench".into(),
            weight: 1,
            max_shards: None,
            created_at: now,
        })
        .await?;
    let storage = Storage {
        id: StorageId::new(now, id_bytes(0)),
        tenant,
        name: "bench".into(),
        settings: StorageSettings::LocalFolder {
            path: "/srv".into(),
        },
        created_at: now,
    };
    store.add_storage(&storage).await?;
    let plan = Plan {
        id: PlanId::new(now, id_bytes(0)),
        tenant,
        kind: tintype_model::plan::PlanKind::Backup,
        name: "bench".into(),
        source: storage.id,
        destination: storage.id,
        archive: ArchiveId::new(now, id_bytes(0)),
        options: PlanOptions::default(),
        schedule: None,
        created_at: now,
    };
    store.add_plan(&plan, None).await?;
    let run = Run {
        id: RunId::new(now, id_bytes(0)),
        tenant,
        plan: plan.id,
        mode: RunMode::Full,
        status: RunStatus::plain(RunState::Queued),
        snapshot: None,
        trace: None,
        created_at: now,
        ended_at: None,
    };
    let first = Shard {
        id: ShardId::new(now, id_bytes(0)),
        tenant,
        run: run.id,
        plan: plan.id,
        kind: ShardKind::Enumerate,
        items: 1,
    };
    store.start_run(&run, &first).await?;
    lease(store, &first).await
}

async fn lease(store: &dyn Store, shard: &Shard) -> Result<Lease, Failure> {
    let worker = WorkerId::new(Still.now(), id_bytes(0));
    match store
        .lease(shard.tenant, shard.id, worker, TTL, u32::MAX)
        .await?
    {
        LeaseAnswer::Granted(lease) => Ok(*lease),
        LeaseAnswer::Held | LeaseAnswer::Stale | LeaseAnswer::SetAside(_) => {
            Err("the database is not empty".into())
        }
    }
}

/// Prepared outside the measured time: a listing and a transfer have theirs elsewhere.
fn pages(listing: &Lease, batches: u64) -> Result<Vec<PageWrite>, Failure> {
    let mut pages = Vec::new();
    for batch in 0..batches {
        let id = ShardId::new(Still.now(), id_bytes(batch + 1));
        let items = u32::try_from(BATCH)?;
        let shard = Shard {
            id,
            kind: ShardKind::Transfer,
            items,
            ..listing.shard.clone()
        };
        let mut page = PageWrite {
            shards: vec![shard],
            ..PageWrite::default()
        };
        for seq in batch * BATCH..(batch + 1) * BATCH {
            let provider_id = provider_id(seq).parse()?;
            page.items.push(ItemUpsert {
                seq,
                provider_id,
                metadata: metadata(seq),
                shard: Some(id),
            });
        }
        pages.push(page);
    }
    Ok(pages)
}

#[expect(clippy::cast_precision_loss, reason = "figures are rounded anyway")]
fn report(engine: &str, what: &str, items: u64, took: Duration) {
    let items_per_s = (items as f64 / took.as_secs_f64()).round();
    println!(
        "{}",
        json!({ "engine": engine, "what": what, "items": items, "batch": BATCH, "items_per_s": items_per_s })
    );
}

async fn bench(engine: &str, store: &dyn Store, items: u64) -> Result<(), Failure> {
    let listing = begin(store).await?;
    let pages = pages(&listing, items.div_ceil(BATCH))?;
    let items = BATCH * u64::try_from(pages.len())?;

    let start = Instant::now();
    for page in &pages {
        store.write_page(&listing, page).await?;
    }
    report(engine, "write_page", items, start.elapsed());

    let mut took = Duration::ZERO;
    for page in &pages {
        let transfer = lease(store, &page.shards[0]).await?;
        let outcomes: Vec<Outcome> = page.items.iter().map(|item| outcome(item.seq)).collect();
        let start = Instant::now();
        store
            .record(&transfer, &outcomes, &Progress::default())
            .await?;
        took += start.elapsed();
    }
    report(engine, "record", items, took);

    let (tenant, plan) = (listing.shard.tenant, listing.shard.plan);
    let mut times = Vec::new();
    for round in 0..LOOK_UPS {
        let from = (round * 7_919) % items.saturating_sub(100).max(1);
        let ids = (from..from + 100)
            .map(|seq| provider_id(seq).parse())
            .collect::<Result<Vec<_>, _>>()?;
        let start = Instant::now();
        let known = store.known(tenant, plan, &ids).await?;
        times.push(start.elapsed());
        if known.len() != ids.len() {
            return Err("items are missing".into());
        }
    }
    times.sort();
    let at = |share: usize| times[times.len() * share / 100].as_secs_f64() * 1_000.0;
    println!(
        "{}",
        json!({ "engine": engine, "what": "known_100", "p50_ms": at(50), "p99_ms": at(99) })
    );
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let args: Vec<String> = env::args().skip(1).collect();
    let (engine, place, items) = match args.as_slice() {
        [engine, place] => (engine, place, 100_000),
        [engine, place, items] => (engine, place, items.parse()?),
        _ => {
            return Err("usage: bench_catalogue sqlite PATH [ITEMS] | postgres URL [ITEMS]".into());
        }
    };
    match engine.as_str() {
        "sqlite" => {
            let store = SqliteStore::open(Path::new(place), Arc::new(Still)).await?;
            bench(engine, &store, items).await?;
            store.close().await;
        }
        "postgres" => {
            PostgresStore::migrate(place).await?;
            let store = PostgresStore::connect(place, PostgresSettings::default()).await?;
            bench(engine, &store, items).await?;
            store.close().await;
        }
        other => return Err(format!("{other} is not an engine: use sqlite or postgres").into()),
    }
    Ok(())
}
