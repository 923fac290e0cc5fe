//! What every bell promises. Each case takes two bells that are heard by each other: the same one twice, or those of two
//! processes.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;

use crate::Bell;

/// A ring that is not heard within this is lost.
const PATIENCE: Duration = Duration::from_secs(20);
/// A bell that is silent for this time was not rung.
const SILENCE: Duration = Duration::from_millis(200);

/// Waits until it is silent: a bell may ring at first, and twice for one ring that it heard in two ways.
async fn settle(bell: &dyn Bell) {
    while timeout(SILENCE, bell.rung()).await.is_ok() {}
}

async fn expect_ring(bell: &dyn Bell) {
    assert!(
        timeout(PATIENCE, bell.rung()).await.is_ok(),
        "a ring was not heard"
    );
}

/// Each hears the other one, and itself.
pub async fn a_ring_is_heard_by_both((one, other): (Arc<dyn Bell>, Arc<dyn Bell>)) {
    for ringer in [&one, &other] {
        for listener in [&one, &other] {
            settle(&**listener).await;
            ringer.ring();
            expect_ring(&**listener).await;
        }
    }
}

/// A waiter is woken while it waits.
pub async fn a_ring_wakes_who_waits((one, other): (Arc<dyn Bell>, Arc<dyn Bell>)) {
    settle(&*one).await;
    let waiter = tokio::spawn(async move { expect_ring(&*one).await });
    tokio::time::sleep(SILENCE).await;
    other.ring();
    assert!(waiter.await.is_ok());
}

/// Many rings before somebody listens are one, or few where they come over a network.
pub async fn many_rings_are_few((one, other): (Arc<dyn Bell>, Arc<dyn Bell>)) {
    settle(&*one).await;
    for _ in 0..1_000 {
        other.ring();
    }
    expect_ring(&*one).await;
    let mut more = 0;
    while timeout(SILENCE, one.rung()).await.is_ok() {
        more += 1;
    }
    assert!(more < 100, "{more} more rings were heard");
}

/// Whoever gives up waiting leaves the ring to the next one.
pub async fn a_wait_that_is_dropped_loses_no_ring((one, other): (Arc<dyn Bell>, Arc<dyn Bell>)) {
    settle(&*one).await;
    for _ in 0..20 {
        let waiter = {
            let one = Arc::clone(&one);
            tokio::spawn(async move { one.rung().await })
        };
        tokio::task::yield_now().await;
        other.ring();
        waiter.abort();
        if waiter.await.is_err() {
            expect_ring(&*one).await;
        }
        settle(&*one).await;
    }
}
