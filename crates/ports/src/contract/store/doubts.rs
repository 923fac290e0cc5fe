//! The journal of uploads: doubts, twins, and journals as a whole.

use std::sync::Arc;

use futures::future::join_all;
use tintype_model::{BlobHash, item::ProviderId, storage::Storage};

use super::{
    uploads::{
        hash, journal, journalled, made, made_of, record, send, sent, settle, twin, twins, unmade,
    },
    world::{StoreUnderTest, World, provider_id, storage, stored},
};
use crate::store::{JournalEntry, MadeItem, SentBytes, StoreError, Twin, UploadRecord};

async fn doubtful(world: &World, after: Option<BlobHash>, limit: u32) -> Vec<JournalEntry> {
    let entries = world
        .store
        .doubtful(world.tenant, world.plan.source, after, limit)
        .await;
    entries.expect("read")
}

/// In the order of their contents.
fn in_order(mut entries: Vec<JournalEntry>) -> Vec<JournalEntry> {
    entries.sort_by_key(|entry| entry.sent.content);
    entries
}

pub async fn doubts_are_listed_in_pages_and_settled_by_name(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let account = world.plan.source;
    let (_, lease) = world.listing().await;
    send(&world, &lease, account, &["a", "b", "c", "d"]).await;
    let call = UploadRecord {
        made: vec![made_of("b", Some("item-b"))],
        doubtful: ["a", "b", "c", "never sent", "a"].map(hash).to_vec(),
        ..UploadRecord::default()
    };
    record(&world, &lease, call).await;
    let all = in_order(vec![unmade("a"), made("b", Some("item-b")), unmade("c")]);
    assert_eq!(doubtful(&world, None, 9).await, all);
    assert_eq!(doubtful(&world, None, 2).await, all[..2]);
    let second = all[1].sent.content;
    assert_eq!(doubtful(&world, Some(second), 9).await, all[2..]);
    let last = all[2].sent.content;
    assert_eq!(doubtful(&world, Some(last), 9).await, []);
    // Neither bytes that are sent again nor an item that is made end a doubt.
    send(&world, &lease, account, &["a"]).await;
    let made_at_last = UploadRecord {
        made: vec![made_of("c", Some("item-c"))],
        ..UploadRecord::default()
    };
    record(&world, &lease, made_at_last).await;
    settle(&world, &lease, &["b", "d", "never sent"], &[]).await;
    let left = in_order(vec![unmade("a"), made("c", Some("item-c"))]);
    assert_eq!(doubtful(&world, None, 9).await, left);
    settle(&world, &lease, &["a", "c"], &[]).await;
    assert_eq!(doubtful(&world, None, 9).await, []);
    let expected = [
        unmade("a"),
        made("b", Some("item-b")),
        made("c", Some("item-c")),
        unmade("d"),
    ];
    assert_eq!(
        journal(&world, account, &["a", "b", "c", "d"]).await,
        expected
    );
}

pub async fn twins_are_noted_once_and_come_in_pages(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let account = world.plan.source;
    let (_, lease) = world.listing().await;
    let (first, second, third) = (twin("Z"), twin("_"), twin("a"));
    settle(&world, &lease, &[], &[second.clone(), first.clone()]).await;
    let seen_again = Twin {
        filename: "another.jpg".into(),
        ..second.clone()
    };
    settle(&world, &lease, &[], &[seen_again, third.clone()]).await;
    let all = [first, second.clone(), third];
    assert_eq!(twins(&world, account).await, all);
    let page = async |after: Option<&ProviderId>, limit| {
        let twins = world.store.twins(world.tenant, account, after, limit).await;
        twins.expect("read")
    };
    assert_eq!(page(None, 2).await, all[..2]);
    assert_eq!(page(Some(&second.id), 9).await, all[2..]);
    assert_eq!(page(Some(&all[2].id), 9).await, []);
    assert_eq!(twins(&world, world.plan.destination).await, []);
}

pub async fn ids_of_items_and_twins_are_known(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let account = world.plan.source;
    let (_, lease) = world.listing().await;
    send(&world, &lease, account, &["a", "b", "c"]).await;
    let call = UploadRecord {
        made: vec![
            made_of("a", Some("item-aa")),
            made_of("b", None),
            made_of("c", Some("both")),
        ],
        ..UploadRecord::default()
    };
    record(&world, &lease, call).await;
    settle(&world, &lease, &[], &[twin("twin-1"), twin("both")]).await;
    let ids = [
        "twin-1", "item-a", "item-aa", "both", "item-aaa", "twin", "zzz",
    ];
    let known = ["both", "item-aa", "twin-1"].map(provider_id);
    assert_eq!(journalled(&world, account, &ids).await, known);
    assert_eq!(journalled(&world, account, &[]).await, []);
    let elsewhere = journalled(&world, world.plan.destination, &ids).await;
    assert_eq!(elsewhere, []);
}

pub async fn tenants_have_journals_of_their_own(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let account = world.plan.source;
    let neighbour = world.neighbour("next door").await;
    let namesake = Storage {
        id: account,
        ..storage(neighbour.tenant, "namesake")
    };
    let added = neighbour.store.add_storage(&namesake).await;
    added.expect("added");
    let (_, lease) = world.listing().await;
    send(&world, &lease, account, &["a", "b"]).await;
    let call = UploadRecord {
        made: vec![made_of("a", Some("item-a"))],
        doubtful: vec![hash("b")],
        ..UploadRecord::default()
    };
    record(&world, &lease, call).await;
    settle(&world, &lease, &[], &[twin("twin-1")]).await;
    let ids = ["item-a", "twin-1"];
    assert_eq!(journal(&neighbour, account, &["a", "b"]).await, []);
    assert_eq!(journalled(&neighbour, account, &ids).await, []);
    assert_eq!(twins(&neighbour, account).await, []);
    let store = &neighbour.store;
    let doubts = store.doubtful(neighbour.tenant, account, None, 9).await;
    assert_eq!(doubts.expect("read"), []);
    // What the neighbour writes and forgets is its own.
    let (_, theirs) = neighbour.listing().await;
    send(&neighbour, &theirs, account, &["a"]).await;
    assert_eq!(journal(&neighbour, account, &["a"]).await, [unmade("a")]);
    let forgets = UploadRecord {
        forgotten: vec![hash("a")],
        ..UploadRecord::default()
    };
    let forgotten = store.record_uploads(&theirs, account, &forgets).await;
    forgotten.expect("forgotten");
    assert_eq!(journal(&neighbour, account, &["a"]).await, []);
    assert_eq!(
        journal(&world, account, &["a", "b"]).await,
        [made("a", Some("item-a")), unmade("b")]
    );
    assert_eq!(doubtful(&world, None, 9).await, [unmade("b")]);
    assert_eq!(
        journalled(&world, account, &ids).await,
        ids.map(provider_id)
    );
    // An account that is not the tenant's has no journal.
    let refused = store
        .journal_sent(&theirs, world.plan.destination, &[sent("a")])
        .await;
    assert!(
        matches!(refused, Err(StoreError::NotFound(_))),
        "{refused:?}"
    );
}

pub(super) fn strange_name() -> String {
    let long: String = (0..64_u64)
        .map(|number| BlobHash::of(&number.to_le_bytes()).to_string())
        .collect();
    format!("a\0b\u{202e}\\u0000'\"../\u{1F4F7}\u{301}{long}")
}

pub async fn strange_names_survive(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let account = world.plan.source;
    let (_, lease) = world.listing().await;
    let strange = SentBytes {
        token: strange_name(),
        filename: strange_name(),
        ..sent("a")
    };
    let journalled = world
        .store
        .journal_sent(&lease, account, std::slice::from_ref(&strange))
        .await;
    journalled.expect("journalled");
    let entry = JournalEntry {
        sent: strange,
        ..unmade("a")
    };
    assert_eq!(journal(&world, account, &["a"]).await, [entry]);
    let strange = Twin {
        id: provider_id(&"x".repeat(512)),
        filename: strange_name(),
        ..twin("t")
    };
    settle(&world, &lease, &[], std::slice::from_ref(&strange)).await;
    assert_eq!(twins(&world, account).await, [strange]);
}

pub async fn a_thousand_uploads_go_in_one_call(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let account = world.plan.source;
    let (_, listing) = world.listing().await;
    let shard = world.list(&listing, 0..1_000).await;
    let lease = world.lease(&shard).await;
    let names: Vec<_> = (0..1_000).map(|number| format!("{number}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    send(&world, &lease, account, &names).await;
    let ids: Vec<_> = names.iter().map(|name| format!("item-{name}")).collect();
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    let made_items = |(name, id): (&&str, &&str)| made_of(name, Some(id));
    let call = UploadRecord {
        made: names.iter().zip(&ids).map(made_items).collect(),
        doubtful: names.iter().map(|name| hash(name)).collect(),
        outcomes: (0..1_000).map(stored).collect(),
        ..UploadRecord::default()
    };
    record(&world, &lease, call).await;
    let entries = journal(&world, account, &names).await;
    let expected = names.iter().zip(&ids);
    let expected: Vec<_> = expected.map(|(name, id)| made(name, Some(id))).collect();
    assert_eq!(entries, expected);
    assert_eq!(doubtful(&world, None, 2_000).await.len(), 1_000);
    assert_eq!(journalled(&world, account, &ids).await.len(), 1_000);
    let found: Vec<_> = (0..1_000)
        .map(|number| twin(&format!("twin-{number}")))
        .collect();
    settle(&world, &lease, &names, &found).await;
    assert_eq!(doubtful(&world, None, 9).await, []);
    let twins = world.store.twins(world.tenant, account, None, 2_000).await;
    assert_eq!(twins.expect("read").len(), 1_000);
}

pub async fn writers_to_one_journal_do_not_block_each_other(under_test: StoreUnderTest) {
    let world = Arc::new(World::new(under_test).await);
    let account = world.plan.source;
    let (_, listing) = world.listing().await;
    let contents: Vec<_> = (0..40_u64)
        .map(|number| BlobHash::of(&number.to_le_bytes()))
        .collect();
    let mut writers = Vec::new();
    for number in 0..4 {
        let shard = world.list(&listing, number..number + 1).await;
        let lease = world.lease(&shard).await;
        let (world, contents) = (Arc::clone(&world), contents.clone());
        writers.push(tokio::spawn(async move {
            // What one writer changes first, the next one changes last.
            let (some, others) = contents.split_at(20);
            let (first, last) = if number % 2 == 0 {
                (some, others)
            } else {
                (others, some)
            };
            let made = first.iter().map(|content| MadeItem {
                content: *content,
                id: None,
            });
            let call = UploadRecord {
                made: made.collect(),
                doubtful: last.to_vec(),
                ..UploadRecord::default()
            };
            for _ in 0..5 {
                world.store.record_uploads(&lease, account, &call).await?;
                world
                    .store
                    .settle_doubts(&lease, account, &contents, &[])
                    .await?;
            }
            Ok::<(), StoreError>(())
        }));
    }
    for written in join_all(writers).await {
        written.expect("no panic").expect("written");
    }
    let entries = world.store.journal(world.tenant, account, &contents).await;
    let entries = entries.expect("read");
    assert_eq!(entries.len(), 40);
    assert!(entries.iter().all(|entry| entry.made));
    assert_eq!(doubtful(&world, None, 99).await, []);
}
