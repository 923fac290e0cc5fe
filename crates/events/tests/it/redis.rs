//! The event bus in Redis keeps the promises of the port.

use std::sync::Arc;

use chrono::DateTime;
use futures::StreamExt;
use tintype_model::{RunId, TenantId, progress::Progress};
use tintype_ports::{
    Events,
    contract::events,
    events::{Event, EventId, Seen},
};

use crate::{
    server::Server,
    support::{bus, install_at, shared_url},
};

async fn redis(held: usize) -> Arc<dyn Events> {
    Arc::new(bus(&install_at(&shared_url()), held))
}

#[tokio::test]
async fn a_watcher_sees_what_comes_in_order() {
    events::a_watcher_sees_what_comes_in_order(redis).await;
}

#[tokio::test]
async fn every_watcher_sees_everything() {
    events::every_watcher_sees_everything(redis).await;
}

#[tokio::test]
async fn a_watcher_resumes_where_it_was() {
    events::a_watcher_resumes_where_it_was(redis).await;
}

#[tokio::test]
async fn tenants_do_not_see_each_other() {
    events::tenants_do_not_see_each_other(redis).await;
}

#[tokio::test]
async fn a_late_watcher_gets_one_gap() {
    events::a_late_watcher_gets_one_gap(redis).await;
}

#[tokio::test]
async fn a_slow_watcher_gets_one_gap() {
    events::a_slow_watcher_gets_one_gap(redis).await;
}

fn tenant(number: u8) -> TenantId {
    TenantId::new(DateTime::UNIX_EPOCH, [number; 10])
}

fn event() -> Event {
    Event::RunProgressed {
        run: RunId::new(DateTime::UNIX_EPOCH, [1; 10]),
        progress: Progress::default(),
    }
}

#[tokio::test]
async fn a_watcher_sees_what_other_processes_publish_and_can_resume_at_another_one() {
    let install = install_at(&shared_url());
    let (first, second) = (bus(&install, 100), bus(&install, 100));
    let mut stream = first.watch(tenant(1), None).await.expect("a stream");
    let mut last = EventId(0);
    for _ in 0..50 {
        let id = second.publish(tenant(1), event()).await.expect("an id");
        let seen = stream.next().await;
        assert!(matches!(seen, Some(Seen::Event(it)) if it.id == id && id > last));
        last = id;
    }
    let next = first.publish(tenant(1), event()).await.expect("an id");
    let mut stream = second.watch(tenant(1), Some(last)).await.expect("a stream");
    let seen = stream.next().await;
    assert!(matches!(seen, Some(Seen::Event(it)) if it.id == next));
}

#[tokio::test]
async fn a_place_in_another_bus_is_a_gap() {
    let events = redis(10).await;
    let mut stream = events
        .watch(tenant(1), Some(EventId(5_000)))
        .await
        .expect("a stream");
    assert_eq!(stream.next().await, Some(Seen::Gap));
}

#[tokio::test]
async fn streams_end_with_the_bus() {
    let events = redis(10).await;
    let mut stream = events.watch(tenant(1), None).await.expect("a stream");
    drop(events);
    assert_eq!(stream.next().await, None);
}

#[tokio::test]
async fn a_process_has_two_connections_however_many_watch_and_forgets_whom_nobody_watches() {
    let server = Server::start().await;
    let install = install_at(&server.url());
    let events = bus(&install, 10);
    let mut streams = Vec::new();
    for number in 0..200 {
        let stream = events.watch(tenant(number), None).await.expect("a stream");
        streams.push(stream);
        let again = events.watch(tenant(number), None).await.expect("a stream");
        streams.push(again);
    }
    assert_eq!(events.watched(), 200);
    let clients: String = server.ask(&["CLIENT", "LIST"]).await;
    // One hears, one asks and publishes, and one is the question itself.
    assert_eq!(clients.lines().count(), 3, "{clients}");
    drop(streams);
    assert_eq!(events.watched(), 0);
    // Whoever comes back hears again, while others are being forgotten.
    let mut stream = events.watch(tenant(3), None).await.expect("a stream");
    let id = events.publish(tenant(3), event()).await.expect("an id");
    let seen = stream.next().await;
    assert!(matches!(seen, Some(Seen::Event(it)) if it.id == id));
    let topics = async || -> usize {
        let topics: Vec<String> = server.ask(&["PUBSUB", "CHANNELS"]).await;
        topics.len()
    };
    while topics().await > 1 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_silent_stream_is_forgotten_by_itself_and_none_grows_without_bound() {
    let server = Server::start().await;
    let events = bus(&install_at(&server.url()), 10);
    for _ in 0..30 {
        events.publish(tenant(1), event()).await.expect("an id");
    }
    let keys: Vec<String> = server.ask(&["KEYS", "*"]).await;
    assert_eq!(keys.len(), 1, "{keys:?}");
    let length: usize = server.ask(&["XLEN", &keys[0]]).await;
    let seconds: i64 = server.ask(&["TTL", &keys[0]]).await;
    assert!(length == 10 && seconds > 0, "{length} events, {seconds} s");
}
