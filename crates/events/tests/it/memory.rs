//! The event bus in memory keeps the promises of the port, and its bounds.

use std::sync::Arc;

use chrono::DateTime;
use futures::StreamExt;
use tintype_events::MemoryEvents;
use tintype_model::{RunId, TenantId, progress::Progress};
use tintype_ports::{
    Events,
    contract::events,
    events::{Event, EventId, Seen},
};

async fn memory(held: usize) -> Arc<dyn Events> {
    Arc::new(MemoryEvents::bounded(1_000_000, held, 16))
}

#[tokio::test]
async fn a_watcher_sees_what_comes_in_order() {
    events::a_watcher_sees_what_comes_in_order(memory).await;
}

#[tokio::test]
async fn every_watcher_sees_everything() {
    events::every_watcher_sees_everything(memory).await;
}

#[tokio::test]
async fn a_watcher_resumes_where_it_was() {
    events::a_watcher_resumes_where_it_was(memory).await;
}

#[tokio::test]
async fn tenants_do_not_see_each_other() {
    events::tenants_do_not_see_each_other(memory).await;
}

#[tokio::test]
async fn a_late_watcher_gets_one_gap() {
    events::a_late_watcher_gets_one_gap(memory).await;
}

#[tokio::test]
async fn a_slow_watcher_gets_one_gap() {
    events::a_slow_watcher_gets_one_gap(memory).await;
}

fn tenant(number: u16) -> TenantId {
    let mut entropy = [0; 10];
    entropy[8..].copy_from_slice(&number.to_be_bytes());
    TenantId::new(DateTime::UNIX_EPOCH, entropy)
}

fn event() -> Event {
    Event::RunProgressed {
        run: RunId::new(DateTime::UNIX_EPOCH, [1; 10]),
        progress: Progress::default(),
    }
}

#[tokio::test]
async fn tenants_beyond_the_bound_are_forgotten_but_for_watched_ones() {
    let events = MemoryEvents::bounded(0, 4, 8);
    let mut watched = events.watch(tenant(0), None).await.expect("a stream");
    let first = events.publish(tenant(1), event()).await.expect("an id");
    for number in 2..200 {
        events
            .publish(tenant(number), event())
            .await
            .expect("an id");
    }
    assert_eq!(events.tenants(), 8);
    events.publish(tenant(0), event()).await.expect("an id");
    assert!(matches!(watched.next().await, Some(Seen::Event(_))));
    // A forgotten tenant's watcher learns that it missed something.
    let mut late = events
        .watch(tenant(1), Some(first))
        .await
        .expect("a stream");
    assert_eq!(late.next().await, Some(Seen::Gap));
}

#[tokio::test]
async fn a_place_in_another_bus_is_a_gap() {
    let events = MemoryEvents::new(10);
    let mut stream = events
        .watch(tenant(1), Some(EventId(5_000)))
        .await
        .expect("a stream");
    assert_eq!(stream.next().await, Some(Seen::Gap));
}

#[tokio::test]
async fn streams_end_with_the_bus() {
    let events = MemoryEvents::new(0);
    let mut stream = events.watch(tenant(1), None).await.expect("a stream");
    drop(events);
    assert_eq!(stream.next().await, None);
}
