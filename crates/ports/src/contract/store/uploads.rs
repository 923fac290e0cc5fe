//! The journal of uploads. A store does not ask which way a plan goes: here the account is the source of the world's plan.

use tintype_model::{
    BlobHash, RunId, StorageId,
    item::{ProviderId, StoredContent},
    progress::Progress,
    shard::Lease,
};

use super::{
    items::waiting,
    world::{
        SHORT, StoreUnderTest, World, content, counts, failed, instant, item_id, new_id,
        provider_id, stored,
    },
};
use crate::store::{
    AlbumGrowth, JournalEntry, MadeItem, Outcome, SentBytes, StoreError, Twin, UploadRecord,
};

pub(super) fn hash(text: &str) -> BlobHash {
    BlobHash::of(text.as_bytes())
}

pub(super) fn sent(text: &str) -> SentBytes {
    SentBytes {
        content: hash(text),
        token: format!("token-of-{text}"),
        expires_at: instant(86_400),
        filename: format!("{text}.jpg"),
    }
}

/// An entry of which no item was made.
pub(super) fn unmade(text: &str) -> JournalEntry {
    JournalEntry {
        sent: sent(text),
        made: false,
        id: None,
    }
}

pub(super) fn made(text: &str, id: Option<&str>) -> JournalEntry {
    JournalEntry {
        made: true,
        id: id.map(provider_id),
        ..unmade(text)
    }
}

pub(super) fn made_of(text: &str, id: Option<&str>) -> MadeItem {
    MadeItem {
        content: hash(text),
        id: id.map(provider_id),
    }
}

pub(super) fn twin(id: &str) -> Twin {
    Twin {
        id: provider_id(id),
        filename: format!("{id}.jpg"),
        run: new_id(RunId::new),
        found_at: instant(5),
    }
}

/// What the journal knows of these bytes, in the order asked.
pub(super) async fn journal(
    world: &World,
    account: StorageId,
    texts: &[&str],
) -> Vec<JournalEntry> {
    let contents: Vec<_> = texts.iter().map(|text| hash(text)).collect();
    let entries = world.store.journal(world.tenant, account, &contents).await;
    let mut entries = entries.expect("read");
    entries.sort_by_key(|entry| contents.iter().position(|it| *it == entry.sent.content));
    entries
}

pub(super) async fn send(world: &World, lease: &Lease, account: StorageId, texts: &[&str]) {
    let sent: Vec<_> = texts.iter().map(|text| sent(text)).collect();
    let journalled = world.store.journal_sent(lease, account, &sent).await;
    journalled.expect("journalled");
}

pub(super) async fn record(world: &World, lease: &Lease, record: UploadRecord) {
    let recorded = world
        .store
        .record_uploads(lease, world.plan.source, &record)
        .await;
    recorded.expect("recorded");
}

pub(super) async fn settle(world: &World, lease: &Lease, texts: &[&str], twins: &[Twin]) {
    let contents: Vec<_> = texts.iter().map(|text| hash(text)).collect();
    let settled = world
        .store
        .settle_doubts(lease, world.plan.source, &contents, twins)
        .await;
    settled.expect("settled");
}

pub(super) async fn twins(world: &World, account: StorageId) -> Vec<Twin> {
    let twins = world.store.twins(world.tenant, account, None, 9).await;
    twins.expect("read")
}

/// Which of these ids the journal holds.
pub(super) async fn journalled(world: &World, account: StorageId, ids: &[&str]) -> Vec<ProviderId> {
    let ids: Vec<_> = ids.iter().map(|id| provider_id(id)).collect();
    let found = world
        .store
        .journalled_ids(world.tenant, account, &ids)
        .await;
    let mut found = found.expect("read");
    found.sort();
    found
}

pub async fn what_was_sent_is_read_back(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let account = world.plan.source;
    let (_, lease) = world.listing().await;
    assert_eq!(journal(&world, account, &["a"]).await, []);
    send(&world, &lease, account, &["a", "b"]).await;
    send(&world, &lease, account, &[]).await;
    assert_eq!(
        journal(&world, account, &["b", "c", "a"]).await,
        [unmade("b"), unmade("a")]
    );
    assert_eq!(journal(&world, account, &[]).await, []);
    let elsewhere = journal(&world, world.plan.destination, &["a"]).await;
    assert_eq!(elsewhere, [], "another account was sent nothing");
}

pub async fn bytes_sent_again_replace_a_token_but_never_an_item(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let account = world.plan.source;
    let (_, lease) = world.listing().await;
    send(&world, &lease, account, &["a", "b"]).await;
    let one = UploadRecord {
        made: vec![made_of("b", Some("item-b"))],
        ..UploadRecord::default()
    };
    record(&world, &lease, one).await;
    let newer = |text| SentBytes {
        token: "newer".into(),
        expires_at: instant(99_000),
        filename: "newer.jpg".into(),
        ..sent(text)
    };
    // Of bytes that are noted twice in one call, the later token counts.
    let again = [sent("a"), newer("a"), newer("b")];
    let journalled = world.store.journal_sent(&lease, account, &again).await;
    journalled.expect("journalled");
    let replaced = JournalEntry {
        sent: newer("a"),
        ..unmade("a")
    };
    assert_eq!(
        journal(&world, account, &["a", "b"]).await,
        [replaced, made("b", Some("item-b"))]
    );
}

pub async fn a_call_is_recorded_with_the_items_it_was_for(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let account = world.plan.source;
    let (run, listing) = world.listing().await;
    let shard = world.list(&listing, 0..3).await;
    let lease = world.lease(&shard).await;
    send(&world, &lease, account, &["a", "b", "c"]).await;
    let call = UploadRecord {
        made: vec![made_of("a", Some("item-a")), made_of("b", None)],
        outcomes: vec![stored(0), stored(1)],
        spent: counts(1),
        ..UploadRecord::default()
    };
    record(&world, &lease, call).await;
    assert_eq!(
        journal(&world, account, &["a", "b", "c"]).await,
        [made("a", Some("item-a")), made("b", None), unmade("c")]
    );
    let (store, tenant) = (&world.store, world.tenant);
    let pending = store.pending(tenant, shard.id, None, 9).await;
    assert_eq!(pending.expect("read"), [waiting(2)]);
    let progress = store.progress(tenant, run.id).await;
    assert_eq!(progress.expect("read"), counts(1));
}

pub async fn a_call_is_recorded_whole_or_not_at_all(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let account = world.plan.source;
    let (run, listing) = world.listing().await;
    let shard = world.list(&listing, 0..1).await;
    let lease = world.lease(&shard).await;
    send(&world, &lease, account, &["a", "b"]).await;
    let call = UploadRecord {
        made: vec![made_of("a", Some("item-a"))],
        forgotten: vec![hash("b")],
        doubtful: vec![hash("a")],
        outcomes: vec![stored(0)],
        albums: vec![AlbumGrowth {
            album: "Sea".into(),
            part: 0,
            added: 1,
        }],
        spent: counts(1),
    };
    let (store, tenant) = (&world.store, world.tenant);
    let refused = store.record_uploads(&lease, account, &call).await;
    assert!(
        matches!(refused, Err(StoreError::NotFound(_))),
        "the album has no such part: {refused:?}"
    );
    assert_eq!(
        journal(&world, account, &["a", "b"]).await,
        [unmade("a"), unmade("b")]
    );
    let doubtful = store.doubtful(tenant, account, None, 9).await;
    assert_eq!(doubtful.expect("read"), []);
    let pending = store.pending(tenant, shard.id, None, 9).await;
    assert_eq!(pending.expect("read"), [waiting(0)]);
    let progress = store.progress(tenant, run.id).await;
    assert_eq!(progress.expect("read"), Progress::default());
}

pub async fn items_that_others_made_are_journalled(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let account = world.plan.source;
    let (_, lease) = world.listing().await;
    let found = UploadRecord {
        made: vec![made_of("a", Some("item-a")), made_of("b", None)],
        ..UploadRecord::default()
    };
    record(&world, &lease, found).await;
    // That an id is not told again does not take it away; one that is told later is noted.
    let again = UploadRecord {
        made: vec![
            made_of("a", None),
            made_of("b", Some("item-b")),
            made_of("b", None),
        ],
        ..UploadRecord::default()
    };
    record(&world, &lease, again).await;
    send(&world, &lease, account, &["a"]).await;
    let entries = journal(&world, account, &["a", "b"]).await;
    assert_eq!(entries.len(), 2);
    for (entry, text) in entries.into_iter().zip(["a", "b"]) {
        let expected = JournalEntry {
            sent: SentBytes {
                content: hash(text),
                token: String::new(),
                expires_at: entry.sent.expires_at,
                filename: String::new(),
            },
            ..made(text, Some(&format!("item-{text}")))
        };
        assert_eq!(entry, expected);
    }
}

pub async fn bytes_that_are_forgotten_can_be_sent_anew(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let account = world.plan.source;
    let (_, lease) = world.listing().await;
    send(&world, &lease, account, &["a", "b", "c"]).await;
    let all = UploadRecord {
        made: vec![made_of("a", Some("item-a")), made_of("c", Some("item-c"))],
        ..UploadRecord::default()
    };
    record(&world, &lease, all).await;
    let lost = UploadRecord {
        forgotten: vec![hash("a"), hash("b"), hash("never sent")],
        ..UploadRecord::default()
    };
    record(&world, &lease, lost).await;
    assert_eq!(
        journal(&world, account, &["a", "b", "c"]).await,
        [made("c", Some("item-c"))]
    );
    assert_eq!(journalled(&world, account, &["item-a"]).await, []);
    send(&world, &lease, account, &["a"]).await;
    assert_eq!(journal(&world, account, &["a"]).await, [unmade("a")]);
}

pub async fn a_stale_lease_journals_nothing(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let account = world.plan.source;
    let (run, listing) = world.listing().await;
    let shard = world.list(&listing, 0..1).await;
    let stale = world.lease_for(&shard, SHORT).await;
    world.pass(2 * SHORT).await;
    let lease = world.lease(&shard).await;
    send(&world, &lease, account, &["a"]).await;
    let call = UploadRecord {
        made: vec![made_of("a", Some("item-a"))],
        doubtful: vec![hash("a")],
        outcomes: vec![stored(0)],
        spent: counts(1),
        ..UploadRecord::default()
    };
    let (store, tenant) = (&world.store, world.tenant);
    let answers = [
        store.journal_sent(&stale, account, &[sent("b")]).await,
        store.record_uploads(&stale, account, &call).await,
        store
            .settle_doubts(&stale, account, &[], &[twin("twin-1")])
            .await,
        store.put_album_part(&stale, "Sea", 0, None).await,
    ];
    for answer in answers {
        assert!(matches!(answer, Err(StoreError::LeaseLost)), "{answer:?}");
    }
    assert_eq!(journal(&world, account, &["a", "b"]).await, [unmade("a")]);
    let doubtful = store.doubtful(tenant, account, None, 9).await;
    assert_eq!(doubtful.expect("read"), []);
    assert_eq!(twins(&world, account).await, []);
    let parts = store.album_parts(tenant, world.plan.id, "Sea").await;
    assert_eq!(parts.expect("read"), []);
    let pending = store.pending(tenant, shard.id, None, 9).await;
    assert_eq!(pending.expect("read"), [waiting(0)]);
    let progress = store.progress(tenant, run.id).await;
    assert_eq!(progress.expect("read"), Progress::default());
}

pub async fn ids_that_the_account_gave_are_found_by_item(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let (_, listing) = world.listing().await;
    let shard = world.list(&listing, 0..4).await;
    let lease = world.lease(&shard).await;
    let uploaded = |seq, given: &str| Outcome {
        seq,
        result: Ok(StoredContent {
            path: given.into(),
            ..content(seq)
        }),
    };
    let call = UploadRecord {
        // Of one the account told no id, one failed, one was not uploaded yet.
        outcomes: vec![uploaded(0, "given-0"), uploaded(1, ""), failed(2)],
        ..UploadRecord::default()
    };
    record(&world, &lease, call).await;
    let given = async |world: &World, items: &[ProviderId]| {
        let plan = lease.shard.plan;
        let given = world.store.given_ids(world.tenant, plan, items).await;
        given.expect("read")
    };
    let items: Vec<_> = (0..5).map(item_id).collect();
    let expected = [(item_id(0), provider_id("given-0"))];
    assert_eq!(given(&world, &items).await, expected);
    assert_eq!(given(&world, &items[1..]).await, []);
    assert_eq!(given(&world, &[]).await, []);
    let neighbour = world.neighbour("next door").await;
    assert_eq!(given(&neighbour, &items).await, []);
}
