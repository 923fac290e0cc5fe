//! Redis fails under watchers: they learn of a gap, or of nothing because nothing was lost, and go on by themselves.

use std::{sync::Arc, time::Duration};

use chrono::DateTime;
use futures::{StreamExt, stream::BoxStream};
use tintype_events::RedisEvents;
use tintype_model::{RunId, TenantId, progress::Progress};
use tintype_ports::{
    Events,
    events::{Event, EventId, Seen},
};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    server::Server,
    support::{bus, install_at},
};

const PATIENCE: Duration = Duration::from_secs(30);

fn tenant() -> TenantId {
    TenantId::new(DateTime::UNIX_EPOCH, [1; 10])
}

fn event() -> Event {
    Event::RunProgressed {
        run: RunId::new(DateTime::UNIX_EPOCH, [1; 10]),
        progress: Progress::default(),
    }
}

async fn next(stream: &mut BoxStream<'static, Seen>) -> Seen {
    timeout(PATIENCE, stream.next())
        .await
        .expect("something comes")
        .expect("the stream goes on")
}

/// Publishes as soon as that is possible again.
async fn publish(events: &RedisEvents) -> EventId {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match events.publish(tenant(), event()).await {
            Ok(id) => return id,
            Err(error) => assert!(Instant::now() < deadline, "cannot publish: {error}"),
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// Reads on until `id` comes; answers how many gaps came before it. Ids grow all the while.
async fn gaps_until(stream: &mut BoxStream<'static, Seen>, id: EventId) -> usize {
    let (mut gaps, mut last) = (0, EventId(0));
    loop {
        match next(stream).await {
            Seen::Gap => gaps += 1,
            Seen::Event(published) => {
                assert!(published.id > last, "{published:?} after {last:?}");
                last = published.id;
                if last == id {
                    return gaps;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_watcher_survives_a_restart_that_loses_everything_and_learns_of_the_gap() {
    let mut server = Server::start().await;
    let events = bus(&install_at(&server.url()), 100);
    let mut stream = events.watch(tenant(), None).await.expect("a stream");
    let first = publish(&events).await;
    assert_eq!(gaps_until(&mut stream, first).await, 0);
    server.kill();
    server.revive().await;
    assert_eq!(next(&mut stream).await, Seen::Gap);
    let second = publish(&events).await;
    assert_eq!(gaps_until(&mut stream, second).await, 0);
    assert!(second > first);
    // Whoever comes back from before the restart learns of it too.
    let mut late = events.watch(tenant(), Some(first)).await.expect("a stream");
    assert_eq!(next(&mut late).await, Seen::Gap);
}

#[tokio::test]
async fn an_old_snapshot_under_a_watcher_is_a_gap() {
    let mut server = Server::start().await;
    let events = bus(&install_at(&server.url()), 100);
    let mut stream = events.watch(tenant(), None).await.expect("a stream");
    let first = publish(&events).await;
    let () = server.ask(&["SAVE"]).await;
    let second = publish(&events).await;
    assert_eq!(gaps_until(&mut stream, first).await, 0);
    assert_eq!(gaps_until(&mut stream, second).await, 0);
    server.kill();
    server.revive().await;
    assert_eq!(next(&mut stream).await, Seen::Gap);
    let third = publish(&events).await;
    assert!(third > second);
    assert_eq!(gaps_until(&mut stream, third).await, 0);
}

#[tokio::test]
async fn flushed_data_is_a_gap_and_ids_go_on_growing() {
    let server = Server::start().await;
    let events = bus(&install_at(&server.url()), 100);
    let mut stream = events.watch(tenant(), None).await.expect("a stream");
    let first = publish(&events).await;
    assert_eq!(gaps_until(&mut stream, first).await, 0);
    let () = server.ask(&["FLUSHALL"]).await;
    let second = publish(&events).await;
    assert!(second > first);
    assert_eq!(gaps_until(&mut stream, second).await, 1);
}

#[tokio::test]
async fn what_was_published_while_a_process_could_not_hear_is_read_afterwards() {
    let server = Server::start().await;
    let install = install_at(&server.url());
    let (deaf, other) = (bus(&install, 1_000), bus(&install, 1_000));
    let mut stream = deaf.watch(tenant(), None).await.expect("a stream");
    let mut last = publish(&other).await;
    for _ in 0..10 {
        let () = server.ask(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
        for _ in 0..20 {
            last = publish(&other).await;
        }
    }
    let mut seen = 0;
    loop {
        match next(&mut stream).await {
            Seen::Gap => panic!("nothing was lost"),
            Seen::Event(published) => {
                seen += 1;
                if published.id == last {
                    break;
                }
            }
        }
    }
    assert_eq!(seen, 201);
}

#[tokio::test]
async fn a_server_that_does_not_answer_delays_nobody_for_long_and_is_heard_again() {
    let server = Server::start().await;
    let mut install = install_at(&server.url());
    install.publish_deadline = Duration::from_millis(200);
    install.watch_deadline = Duration::from_secs(2);
    let events = Arc::new(bus(&install, 100));
    let mut stream = events.watch(tenant(), None).await.expect("a stream");
    server.set_frozen(true);
    let all = async {
        for _ in 0..200 {
            assert!(events.publish(tenant(), event()).await.is_err());
        }
        let late = events.watch(tenant(), None).await;
        assert!(late.is_err());
    };
    timeout(PATIENCE, all).await.expect("nobody hangs");
    server.set_frozen(false);
    let id = publish(&events).await;
    // The server may have got some of what was given up, so there may be events before this one.
    gaps_until(&mut stream, id).await;
}

#[tokio::test]
async fn a_bus_that_cannot_reach_redis_says_so_and_leaves_nothing_behind() {
    let mut server = Server::start().await;
    server.kill();
    let mut install = install_at(&server.url());
    install.watch_deadline = Duration::from_millis(300);
    let events = bus(&install, 100);
    assert!(events.publish(tenant(), event()).await.is_err());
    assert!(events.watch(tenant(), None).await.is_err());
    assert_eq!(events.watched(), 0);
    server.revive().await;
    let deadline = Instant::now() + PATIENCE;
    while events.watch(tenant(), None).await.is_err() {
        assert!(Instant::now() < deadline, "it never recovers");
        sleep(Duration::from_millis(20)).await;
    }
}
