//! Looks into the catalogue and the archive of a process that is not running.

use std::collections::{BTreeMap, BTreeSet};
use std::{path::Path, sync::Arc};

use futures::StreamExt;
use tintype_blob::{ArchiveReader, Root};
use tintype_emulator::{CallKind, Control};
use tintype_model::{TenantId, item::ItemState, plan::Plan};
use tintype_ports::{
    archive::ManifestEntry,
    store::{Items, Plans, Setup},
};
use tintype_runtime::SystemClock;
use tintype_store::SqliteStore;

use crate::household::Household;

/// The tenant's name on a person's own machine.
const HOUSEHOLD: &str = "home";

async fn plan(store: &SqliteStore) -> Option<(TenantId, Plan)> {
    let tenant = store
        .tenant_by_name(HOUSEHOLD)
        .await
        .expect("the store answers")?;
    let plans = store.plans(tenant.id).await.expect("the store answers");
    Some((tenant.id, plans.into_iter().next()?))
}

/// Ids of the items that the catalogue holds for stored.
pub(crate) async fn stored(household: &Household) -> BTreeSet<String> {
    let file = household.data().join("catalogue.db");
    if !file.exists() {
        return BTreeSet::new();
    }
    let store = SqliteStore::open(&file, Arc::new(SystemClock))
        .await
        .expect("a catalogue");
    let mut ids = BTreeSet::new();
    if let Some((tenant, plan)) = plan(&store).await {
        let mut after = None;
        loop {
            let items = store
                .items(tenant, plan.id, after, 1_000)
                .await
                .expect("items");
            let Some(last) = items.last() else { break };
            after = Some(last.seq);
            let done = items
                .into_iter()
                .filter(|item| item.state == ItemState::Stored);
            ids.extend(done.map(|item| item.provider_id.to_string()));
        }
    }
    store.close().await;
    ids
}

/// The newest snapshot's items: id → (content hash, size).
pub(crate) async fn newest_manifest(household: &Household) -> BTreeMap<String, (String, u64)> {
    manifest_in(&household.archive()).await
}

/// The same of an archive in a folder.
pub(crate) async fn manifest_in(archive: &Path) -> BTreeMap<String, (String, u64)> {
    let root = Root::LocalFolder {
        path: archive.to_owned(),
    };
    let reader = ArchiveReader::open(&root, None).await.expect("an archive");
    let snapshots = reader.snapshots().await.expect("snapshots");
    let newest = *snapshots.last().expect("a snapshot");
    let mut entries = reader.read_manifest(newest).await.expect("a manifest");
    let mut items = BTreeMap::new();
    while let Some(entry) = entries.next().await {
        if let ManifestEntry::Item(item) = entry.expect("a sound manifest") {
            let content = (item.content.blob.to_string(), item.content.size);
            assert_eq!(
                items.insert(item.id.to_string(), content),
                None,
                "an item stands twice"
            );
        }
    }
    items
}

/// Ids of the items whose bytes were asked for after entry `after` of Google's ledger, with the number of the last entry.
pub(crate) fn downloaded_since(control: &Control, after: u64) -> (Vec<String>, u64) {
    let entries = control.ledger(Some(CallKind::Download), after, 1_000_000);
    let last = entries.last().map_or(after, |entry| entry.number);
    (
        entries.into_iter().filter_map(|entry| entry.item).collect(),
        last,
    )
}
