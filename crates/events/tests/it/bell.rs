//! Both bells keep the promises of the port.

use std::{sync::Arc, time::Duration};

use tintype_events::MemoryBell;
use tintype_ports::{Bell, contract::bell};
use tokio::time::timeout;

use crate::{
    server::Server,
    support::{bell as redis_bell, install_at, shared_url},
};

type Pair = (Arc<dyn Bell>, Arc<dyn Bell>);

fn memory() -> Pair {
    let bell: Arc<dyn Bell> = Arc::new(MemoryBell::new());
    (Arc::clone(&bell), bell)
}

fn redis() -> Pair {
    let install = install_at(&shared_url());
    (
        Arc::new(redis_bell(&install)),
        Arc::new(redis_bell(&install)),
    )
}

#[tokio::test]
async fn a_ring_is_heard_by_both() {
    bell::a_ring_is_heard_by_both(memory()).await;
    bell::a_ring_is_heard_by_both(redis()).await;
}

#[tokio::test]
async fn a_ring_wakes_who_waits() {
    bell::a_ring_wakes_who_waits(memory()).await;
    bell::a_ring_wakes_who_waits(redis()).await;
}

#[tokio::test]
async fn many_rings_are_few() {
    bell::many_rings_are_few(memory()).await;
    bell::many_rings_are_few(redis()).await;
}

#[tokio::test]
async fn a_wait_that_is_dropped_loses_no_ring() {
    bell::a_wait_that_is_dropped_loses_no_ring(memory()).await;
    bell::a_wait_that_is_dropped_loses_no_ring(redis()).await;
}

#[tokio::test]
async fn a_bell_rings_here_while_redis_is_away_and_elsewhere_when_it_is_back() {
    let mut server = Server::start().await;
    server.kill();
    let install = install_at(&server.url());
    let (one, other) = (redis_bell(&install), redis_bell(&install));
    one.ring();
    timeout(Duration::from_secs(20), one.rung())
        .await
        .expect("a ring in the same process");
    server.revive().await;
    // Rings may have been missed, so there is one when it can hear again.
    timeout(Duration::from_secs(20), other.rung())
        .await
        .expect("a ring after the reconnection");
}
