//! Brokers that restart, die or fall silent: what was published is delivered, and nothing hangs.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use tintype_model::ShardId;
use tintype_ports::{Queue as _, queue::QueueError};
use tintype_queue::RabbitQueue;
use tintype_testkit::{
    chaos::ChaosProxy,
    servers::{Apt, RabbitMq},
};
use tokio::time::{Instant, sleep, timeout};

use crate::broker::{Broker, PATIENCE, connect, job, settings, story};

const SLOTS: u8 = 4;

/// Publishers and slots that go on through all failures, and what they have seen.
#[derive(Default)]
struct Traffic {
    confirmed: Mutex<BTreeSet<ShardId>>,
    delivered: Mutex<BTreeSet<ShardId>>,
    failures: AtomicU32,
    is_over: AtomicBool,
}

impl Traffic {
    async fn publish(&self, queue: &RabbitQueue) {
        let mut number = 0;
        while !self.is_over.load(Ordering::Relaxed) {
            let batch: Vec<_> = (0..5)
                .map(|tenant| job(tenant, number + u32::from(tenant)))
                .collect();
            number += 5;
            match queue.publish(&batch).await {
                Ok(()) => {
                    let mut confirmed = self.confirmed.lock().expect("no panic");
                    confirmed.extend(batch.iter().map(|job| job.shard));
                }
                Err(QueueError::Full) => panic!("the queue is not that small"),
                Err(error) => {
                    self.failures.fetch_add(1, Ordering::Relaxed);
                    // Shown when the test fails.
                    eprintln!("publishing: {}", story(&error));
                }
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn consume(&self, queue: &RabbitQueue) {
        let mut consumer = queue.consume().await.expect("a consumer");
        loop {
            match consumer.next().await {
                Ok(Some(delivery)) => {
                    let shard = delivery.message().shard;
                    // Without the answer it comes again, which is harmless.
                    let _ = delivery.ack().await;
                    self.delivered.lock().expect("no panic").insert(shard);
                }
                Ok(None) => return,
                Err(error) => {
                    eprintln!("consuming: {}", story(&error));
                    sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    fn progress(&self) -> (usize, usize) {
        let confirmed = self.confirmed.lock().expect("no panic").len();
        (confirmed, self.delivered.lock().expect("no panic").len())
    }

    /// Waits until more was confirmed and more was delivered than now.
    async fn goes_on(&self) {
        let (confirmed, delivered) = self.progress();
        let moves = async {
            loop {
                let now = self.progress();
                if now.0 > confirmed + 20 && now.1 > delivered + 20 {
                    return;
                }
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(PATIENCE, moves).await.expect("traffic goes on");
    }

    async fn everything_arrived(&self) {
        let missing = || -> Vec<ShardId> {
            let confirmed = self.confirmed.lock().expect("no panic");
            let delivered = self.delivered.lock().expect("no panic");
            confirmed.difference(&delivered).copied().collect()
        };
        let deadline = Instant::now() + PATIENCE;
        while !missing().is_empty() && Instant::now() < deadline {
            sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(missing(), []);
    }
}

/// Runs traffic while `trouble` goes on, and counts afterwards.
async fn survives(queue: RabbitQueue, trouble: impl AsyncFnOnce(&Traffic)) -> Arc<Traffic> {
    let traffic = Arc::new(Traffic::default());
    let mut slots = Vec::new();
    for _ in 0..SLOTS {
        let (traffic, queue) = (Arc::clone(&traffic), queue.clone());
        slots.push(tokio::spawn(async move { traffic.consume(&queue).await }));
    }
    let publisher = {
        let (traffic, queue) = (Arc::clone(&traffic), queue.clone());
        tokio::spawn(async move { traffic.publish(&queue).await })
    };
    traffic.goes_on().await;
    trouble(&traffic).await;
    traffic.goes_on().await;
    traffic.is_over.store(true, Ordering::Relaxed);
    let ended = timeout(PATIENCE, publisher).await;
    ended
        .expect("the publisher does not hang")
        .expect("no panic");
    traffic.everything_arrived().await;
    assert_eq!(queue.depth().await.expect("a depth"), 0);
    queue.close().await;
    for slot in slots {
        let ended = timeout(PATIENCE, slot).await;
        ended.expect("no slot hangs").expect("no panic");
    }
    traffic
}

async fn private() -> RabbitMq {
    RabbitMq::start(&Apt::default()).await.expect("a broker")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_confirmed_is_lost_when_the_broker_restarts() {
    let mut broker = private().await;
    let queue = connect(settings(&broker.url(), 100_000)).await;
    let traffic = survives(queue, async |_: &Traffic| {
        broker.restart().await.expect("a restart");
    })
    .await;
    assert!(traffic.failures.load(Ordering::Relaxed) > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_confirmed_is_lost_when_the_broker_is_killed() {
    let mut broker = private().await;
    let queue = connect(settings(&broker.url(), 100_000)).await;
    survives(queue, async |traffic: &Traffic| {
        for _ in 0..2 {
            // RabbitMQ 3.10 leaves a quorum queue without a leader when it is killed within seconds of the declaration.
            sleep(Duration::from_secs(6)).await;
            broker.kill();
            broker.restart().await.expect("a restart");
            traffic.goes_on().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_confirmed_is_lost_when_connections_are_reset() {
    let broker = Broker::shared().await;
    let (proxy, url) = behind_a_proxy(&broker).await;
    let queue = connect(settings(&url, 100_000)).await;
    survives(queue, async |traffic: &Traffic| {
        for _ in 0..5 {
            proxy.reset_all();
            traffic.goes_on().await;
        }
    })
    .await;
    assert!(proxy.counts().reset >= 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_half_open_connection_meets_a_deadline_and_is_made_again() {
    let broker = Broker::shared().await;
    let (proxy, url) = behind_a_proxy(&broker).await;
    let mut impatient = settings(&url, 100_000);
    impatient.answer_within = Duration::from_secs(2);
    impatient.connect_within = Duration::from_secs(2);
    let queue = connect(impatient).await;
    let traffic = survives(queue, async |traffic: &Traffic| {
        proxy.half_open();
        // Each call ends: with an error, as nothing comes through.
        let noticed = async {
            let before = traffic.failures.load(Ordering::Relaxed);
            while traffic.failures.load(Ordering::Relaxed) < before + 2 {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(PATIENCE, noticed).await.expect("a deadline");
        proxy.calm();
    })
    .await;
    assert!(traffic.failures.load(Ordering::Relaxed) >= 2);
    assert!(proxy.counts().swallowed > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_broker_every_call_fails_soon_and_works_once_there_is_one() {
    let broker = Broker::shared().await;
    let (proxy, url) = behind_a_proxy(&broker).await;
    proxy.refuse(true);
    let mut impatient = settings(&url, 100);
    impatient.patience = Duration::from_millis(200);
    let queue = crate::broker::start(impatient);
    assert!(!queue.is_connected());
    let mut consumer = queue.consume().await.expect("a consumer");
    let calls = async {
        assert!(matches!(
            queue.publish(&[job(1, 1)]).await,
            Err(QueueError::Unavailable(_))
        ));
        assert!(matches!(
            queue.depth().await,
            Err(QueueError::Unavailable(_))
        ));
        assert!(matches!(
            queue.dead_letters(1).await,
            Err(QueueError::Unavailable(_))
        ));
        assert!(matches!(
            consumer.next().await,
            Err(QueueError::Unavailable(_))
        ));
    };
    timeout(PATIENCE, calls).await.expect("no call hangs");

    proxy.calm();
    queue.ready(PATIENCE).await.expect("a broker");
    queue.publish(&[job(1, 1)]).await.expect("a publish");
    let next = timeout(PATIENCE, consumer.next()).await.expect("a message");
    assert_eq!(
        next.expect("no failure").expect("not closed").message(),
        &job(1, 1)
    );
}

async fn behind_a_proxy(broker: &Broker) -> (ChaosProxy, String) {
    let url = broker.vhost.url();
    let (_, rest) = url.split_once('@').expect("a user");
    let (target, vhost) = rest.split_once('/').expect("a virtual host");
    let proxy = ChaosProxy::start(target).await;
    let url = format!("amqp://guest:guest@{}/{vhost}", proxy.address());
    (proxy, url)
}
