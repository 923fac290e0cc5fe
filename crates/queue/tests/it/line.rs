//! Slots of a process wait in line: one subscription for all of them, which goes from one to the next.

use std::{collections::HashSet, time::Duration};

use tintype_ports::{
    Queue as _,
    queue::{Consumer, JobMessage},
};
use tintype_queue::RabbitQueue;
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::broker::{Broker, PATIENCE, job};

/// Queues of the tests.
const QUEUES: u64 = 4;

/// A slot that takes one message after the other until it is stopped.
struct Slot {
    stop: CancellationToken,
    task: JoinHandle<Box<dyn Consumer>>,
}

impl Slot {
    /// It tells `taken` of each message, and answers it once `work` is over.
    async fn start(
        queue: &RabbitQueue,
        taken: mpsc::UnboundedSender<JobMessage>,
        work: CancellationToken,
    ) -> Self {
        let mut consumer = queue.consume().await.expect("a consumer");
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            loop {
                let next = tokio::select! {
                    () = stopped.cancelled() => return consumer,
                    next = consumer.next() => next,
                };
                let delivery = next.expect("no failure").expect("not closed");
                let _ = taken.send(delivery.message().clone());
                work.cancelled().await;
                delivery.ack().await.expect("an ack");
            }
        });
        Self { stop, task }
    }

    async fn stop(self) -> Box<dyn Consumer> {
        self.stop.cancel();
        self.task.await.expect("no panic")
    }
}

/// Work that is over at once.
fn none() -> CancellationToken {
    let work = CancellationToken::new();
    work.cancel();
    work
}

/// Until the queues have so many consumers together: one each for those that wait, and one for each message that is worked on.
async fn consumers(queue: &RabbitQueue, number: u64) {
    let mut now = 0;
    let there = async {
        loop {
            let standing = queue.standing().await.expect("a standing");
            now = standing.iter().map(|it| it.consumers).sum();
            if now == number {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = timeout(PATIENCE, there).await;
    assert!(waited.is_ok(), "{now} consumers, not {number}");
}

async fn next(taken: &mut mpsc::UnboundedReceiver<JobMessage>) -> JobMessage {
    let message = timeout(PATIENCE, taken.recv()).await.expect("a message");
    message.expect("slots at work")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slots_that_wait_share_one_subscription_and_each_takes_what_is_next() {
    let broker = Broker::shared().await;
    let queue = broker.rabbit().await;
    let (taken, mut arrived) = mpsc::unbounded_channel();
    let mut slots = Vec::new();
    let work = CancellationToken::new();
    for _ in 0..6 {
        slots.push(Slot::start(&queue, taken.clone(), work.clone()).await);
    }
    consumers(&queue, QUEUES).await;
    // None is over before all have begun, so each needs a slot of its own; all are of one tenant, and thus of one queue.
    let jobs: Vec<_> = (0..6).map(|number| job(1, number)).collect();
    queue.publish(&jobs).await.expect("a publish");
    for expected in &jobs {
        assert_eq!(next(&mut arrived).await, *expected);
    }
    // Nobody is left to look.
    consumers(&queue, 6).await;
    work.cancel();
    consumers(&queue, QUEUES).await;
    for slot in slots {
        slot.stop().await;
    }
    consumers(&queue, 0).await;
    assert_eq!(queue.depth().await.expect("a depth"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_gives_up_waiting_leaves_its_place_to_the_next() {
    let broker = Broker::shared().await;
    let queue = broker.rabbit().await;
    let (taken, mut arrived) = mpsc::unbounded_channel();
    let mut slots = Vec::new();
    for _ in 0..5 {
        slots.push(Slot::start(&queue, taken.clone(), none()).await);
    }
    consumers(&queue, QUEUES).await;
    for round in 0..5 {
        // From the front and from behind.
        let place = if round % 2 == 0 { 0 } else { slots.len() - 1 };
        let gone: Slot = slots.remove(place);
        let mut gone = gone.stop().await;
        let sent = job(u8::try_from(round).expect("few"), 1);
        queue
            .publish(std::slice::from_ref(&sent))
            .await
            .expect("a publish");
        if slots.is_empty() {
            // Nobody waits: what was subscribed ended with the last one, and whoever comes finds the message.
            let next = timeout(PATIENCE, gone.next()).await.expect("a message");
            let delivery = next.expect("no failure").expect("not closed");
            assert_eq!(*delivery.message(), sent);
            delivery.ack().await.expect("an ack");
        } else {
            assert_eq!(next(&mut arrived).await, sent);
        }
    }
    assert_eq!(queue.depth().await.expect("a depth"), 0);
    consumers(&queue, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slots_that_come_and_go_all_the_time_lose_nothing_and_hold_nothing_back() {
    let broker = Broker::shared().await;
    let queue = broker.rabbit().await;
    let (taken, mut arrived) = mpsc::unbounded_channel();
    let restless = (0..4).map(|of| {
        let (queue, taken) = (queue.clone(), taken.clone());
        tokio::spawn(async move {
            for round in 0..40_u64 {
                let slot = Slot::start(&queue, taken.clone(), none()).await;
                tokio::time::sleep(Duration::from_millis((round * 7 + of * 3) % 25)).await;
                slot.stop().await;
            }
        })
    });
    let restless: Vec<_> = restless.collect();
    let jobs: Vec<_> = (0..120)
        .map(|number| job(u8::try_from(number % 5).expect("few"), number))
        .collect();
    for job in &jobs {
        queue
            .publish(std::slice::from_ref(job))
            .await
            .expect("a publish");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for slot in restless {
        slot.await.expect("no panic");
    }
    let last = Slot::start(&queue, taken.clone(), none()).await;
    let mut seen = HashSet::new();
    while seen.len() < jobs.len() {
        seen.insert(next(&mut arrived).await.shard);
    }
    last.stop().await;
    assert_eq!(queue.depth().await.expect("a depth"), 0);
    consumers(&queue, 0).await;
}
