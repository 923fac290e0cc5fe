//! What every event bus promises. Each case takes a factory that makes a bus which holds so many events a tenant; an adapter
//! runs all of them.

use std::{sync::Arc, time::Duration};

use chrono::DateTime;
use futures::{StreamExt, stream::BoxStream};
use tintype_model::{RunId, TenantId, progress::Progress};
use tokio::time::timeout;

use crate::events::{Event, EventId, Events, Seen};

/// An event that does not come within this time is lost.
const PATIENCE: Duration = Duration::from_secs(20);
/// A stream that stays silent for this time has nothing to say.
const SILENCE: Duration = Duration::from_millis(100);

fn tenant(number: u8) -> TenantId {
    TenantId::new(DateTime::UNIX_EPOCH, [number; 10])
}

fn event(number: u8) -> Event {
    Event::RunProgressed {
        run: RunId::new(DateTime::UNIX_EPOCH, [number; 10]),
        progress: Progress::default(),
    }
}

async fn publish(events: &Arc<dyn Events>, to: u8, number: u8) -> EventId {
    match events.publish(tenant(to), event(number)).await {
        Ok(id) => id,
        Err(error) => panic!("publishing failed: {error}"),
    }
}

async fn watch(
    events: &Arc<dyn Events>,
    of: u8,
    after: Option<EventId>,
) -> BoxStream<'static, Seen> {
    match events.watch(tenant(of), after).await {
        Ok(stream) => stream,
        Err(error) => panic!("watching failed: {error}"),
    }
}

async fn next(stream: &mut BoxStream<'static, Seen>) -> Seen {
    match timeout(PATIENCE, stream.next()).await {
        Ok(Some(seen)) => seen,
        Ok(None) => panic!("the stream ended"),
        Err(_) => panic!("no event came"),
    }
}

async fn expect_event(stream: &mut BoxStream<'static, Seen>, number: u8) -> EventId {
    match next(stream).await {
        Seen::Event(published) => {
            assert_eq!(published.event, event(number));
            published.id
        }
        Seen::Gap => panic!("a gap came in place of event {number}"),
    }
}

async fn is_silent(stream: &mut BoxStream<'static, Seen>) -> bool {
    timeout(SILENCE, stream.next()).await.is_err()
}

/// A watcher sees what is published from now on, in order, with ids that grow; never what was before.
pub async fn a_watcher_sees_what_comes_in_order<F: Future<Output = Arc<dyn Events>>>(
    make: impl Fn(usize) -> F,
) {
    let events = make(100).await;
    publish(&events, 1, 0).await;
    let mut stream = watch(&events, 1, None).await;
    let mut last = EventId(0);
    for number in 1..20 {
        let published = publish(&events, 1, number).await;
        let seen = expect_event(&mut stream, number).await;
        assert!(seen == published && seen > last, "{seen:?} after {last:?}");
        last = seen;
    }
    assert!(is_silent(&mut stream).await);
}

/// Several watchers see the same, one that waits is woken.
pub async fn every_watcher_sees_everything<F: Future<Output = Arc<dyn Events>>>(
    make: impl Fn(usize) -> F,
) {
    let events = make(100).await;
    let mut first = watch(&events, 1, None).await;
    let mut second = watch(&events, 1, None).await;
    let publisher = async {
        tokio::time::sleep(SILENCE).await;
        publish(&events, 1, 7).await
    };
    let (one, two, published) = futures::join!(
        expect_event(&mut first, 7),
        expect_event(&mut second, 7),
        publisher
    );
    assert!(one == published && two == published);
}

/// A watcher that comes back goes on where it was, without a gap.
pub async fn a_watcher_resumes_where_it_was<F: Future<Output = Arc<dyn Events>>>(
    make: impl Fn(usize) -> F,
) {
    let events = make(100).await;
    let mut stream = watch(&events, 1, None).await;
    publish(&events, 1, 1).await;
    let seen = expect_event(&mut stream, 1).await;
    drop(stream);
    for number in 2..6 {
        publish(&events, 1, number).await;
    }
    let mut stream = watch(&events, 1, Some(seen)).await;
    for number in 2..6 {
        expect_event(&mut stream, number).await;
    }
    publish(&events, 1, 6).await;
    expect_event(&mut stream, 6).await;
    assert!(is_silent(&mut stream).await);
}

/// A watcher never sees another tenant's events.
pub async fn tenants_do_not_see_each_other<F: Future<Output = Arc<dyn Events>>>(
    make: impl Fn(usize) -> F,
) {
    let events = make(100).await;
    let mut stream = watch(&events, 1, None).await;
    let other = publish(&events, 2, 1).await;
    assert!(is_silent(&mut stream).await);
    publish(&events, 1, 2).await;
    expect_event(&mut stream, 2).await;
    publish(&events, 1, 3).await;
    let mut resumed = watch(&events, 2, Some(other)).await;
    assert!(is_silent(&mut resumed).await);
}

/// A watcher that asks for what is no longer held gets one gap, then the oldest held event.
pub async fn a_late_watcher_gets_one_gap<F: Future<Output = Arc<dyn Events>>>(
    make: impl Fn(usize) -> F,
) {
    let events = make(10).await;
    let first = publish(&events, 1, 0).await;
    for number in 1..40 {
        publish(&events, 1, number).await;
    }
    let mut stream = watch(&events, 1, Some(first)).await;
    expect_gap_then_the_rest(&mut stream, 30..40).await;
}

/// A watcher that is too slow gets one gap, then the oldest held event, and then goes on live.
pub async fn a_slow_watcher_gets_one_gap<F: Future<Output = Arc<dyn Events>>>(
    make: impl Fn(usize) -> F,
) {
    let events = make(10).await;
    let mut stream = watch(&events, 1, None).await;
    publish(&events, 1, 0).await;
    expect_event(&mut stream, 0).await;
    for number in 1..40 {
        publish(&events, 1, number).await;
    }
    expect_gap_then_the_rest(&mut stream, 30..40).await;
    publish(&events, 1, 40).await;
    expect_event(&mut stream, 40).await;
}

async fn expect_gap_then_the_rest(
    stream: &mut BoxStream<'static, Seen>,
    held: std::ops::Range<u8>,
) {
    assert_eq!(next(stream).await, Seen::Gap);
    for number in held {
        expect_event(stream, number).await;
    }
    assert!(is_silent(stream).await);
}
