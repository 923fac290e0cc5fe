//! What every queue promises. Each case takes a factory that makes an empty queue for so many messages; an adapter runs all
//! of them.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use chrono::DateTime;
use futures::future::join_all;
use tintype_model::{ShardId, TenantId};
use tokio::time::timeout;

use crate::{
    Queue,
    queue::{Consumer, Delivery, JobMessage, QueueError, Rejection},
};

/// A message that does not come within this time is lost.
const PATIENCE: Duration = Duration::from_secs(20);
/// A queue that stays silent for this time has nothing to deliver.
const SILENCE: Duration = Duration::from_millis(100);

fn message(tenant: u8, shard: u8) -> JobMessage {
    JobMessage {
        tenant: TenantId::new(DateTime::UNIX_EPOCH, [tenant; 10]),
        shard: ShardId::new(DateTime::UNIX_EPOCH, [shard; 10]),
        trace: None,
    }
}

fn batch(tenant: u8, shards: std::ops::Range<u8>) -> Vec<JobMessage> {
    shards.map(|shard| message(tenant, shard)).collect()
}

async fn publish(queue: &Arc<dyn Queue>, messages: &[JobMessage]) {
    let result = queue.publish(messages).await;
    assert!(result.is_ok(), "publishing failed: {result:?}");
}

async fn consumer(queue: &Arc<dyn Queue>) -> Box<dyn Consumer> {
    match queue.consume().await {
        Ok(consumer) => consumer,
        Err(error) => panic!("consuming failed: {error}"),
    }
}

async fn next(consumer: &mut Box<dyn Consumer>) -> Box<dyn Delivery> {
    match timeout(PATIENCE, consumer.next()).await {
        Ok(Ok(Some(delivery))) => delivery,
        Ok(Ok(None)) => panic!("the queue was closed"),
        Ok(Err(error)) => panic!("consuming failed: {error}"),
        Err(_) => panic!("no message came"),
    }
}

async fn is_silent(consumer: &mut Box<dyn Consumer>) -> bool {
    timeout(SILENCE, consumer.next()).await.is_err()
}

async fn ack(delivery: Box<dyn Delivery>) {
    assert!(delivery.ack().await.is_ok(), "acknowledging failed");
}

async fn reject(delivery: Box<dyn Delivery>, how: Rejection) {
    assert!(delivery.reject(how).await.is_ok(), "rejecting failed");
}

/// The messages of the dead letters, which all died for the reason that [`reject`] was given.
async fn dead(queue: &Arc<dyn Queue>, limit: usize) -> Vec<JobMessage> {
    let letters = match queue.dead_letters(limit).await {
        Ok(letters) => letters,
        Err(error) => panic!("the dead letters cannot be read: {error}"),
    };
    assert!(letters.iter().all(|letter| letter.reason == "broken"));
    letters
        .into_iter()
        .filter_map(|letter| letter.message)
        .collect()
}

/// Messages come in the order in which they were published, and never again once they are acknowledged.
pub async fn messages_come_in_order_and_once_acknowledged_never_again<
    F: Future<Output = Arc<dyn Queue>>,
>(
    make: impl Fn(usize) -> F,
) {
    let queue = make(100).await;
    let sent = batch(1, 0..20);
    publish(&queue, &sent[..5]).await;
    publish(&queue, &sent[5..]).await;
    let mut consumer = consumer(&queue).await;
    for expected in &sent {
        let delivery = next(&mut consumer).await;
        assert_eq!(delivery.message(), expected);
        ack(delivery).await;
    }
    assert!(is_silent(&mut consumer).await);
    assert_eq!(queue.depth().await.ok(), Some(0));
}

/// Consumers compete: each message goes to one of them, and all messages go to somebody.
pub async fn consumers_share_the_work<F: Future<Output = Arc<dyn Queue>>>(
    make: impl Fn(usize) -> F,
) {
    let queue = make(200).await;
    let sent = batch(1, 0..100);
    publish(&queue, &sent).await;
    let workers = (0..4).map(|_| async {
        let mut consumer = consumer(&queue).await;
        let mut seen = Vec::new();
        for _ in 0..25 {
            let delivery = next(&mut consumer).await;
            seen.push(delivery.message().shard);
            ack(delivery).await;
        }
        seen
    });
    let seen: Vec<ShardId> = join_all(workers).await.concat();
    let distinct: BTreeSet<ShardId> = seen.iter().copied().collect();
    assert_eq!((seen.len(), distinct.len()), (100, 100));
}

/// A delivery that is dropped, as by a crash, comes again; to another consumer, too.
pub async fn a_dropped_delivery_comes_again<F: Future<Output = Arc<dyn Queue>>>(
    make: impl Fn(usize) -> F,
) {
    let queue = make(10).await;
    publish(&queue, &[message(1, 1)]).await;
    let mut first = consumer(&queue).await;
    let mut second = consumer(&queue).await;
    drop(next(&mut first).await);
    drop(first);
    for _ in 0..3 {
        drop(next(&mut second).await);
    }
    let delivery = next(&mut second).await;
    assert_eq!(delivery.message(), &message(1, 1));
    ack(delivery).await;
    assert!(is_silent(&mut second).await);
}

/// A requeued message comes again.
pub async fn a_requeued_message_comes_again<F: Future<Output = Arc<dyn Queue>>>(
    make: impl Fn(usize) -> F,
) {
    let queue = make(10).await;
    publish(&queue, &batch(1, 0..2)).await;
    let mut consumer = consumer(&queue).await;
    reject(next(&mut consumer).await, Rejection::Requeue).await;
    let mut seen = BTreeSet::new();
    for _ in 0..2 {
        let delivery = next(&mut consumer).await;
        seen.insert(delivery.message().shard);
        ack(delivery).await;
    }
    assert_eq!(seen.len(), 2);
}

/// A dead letter never comes again, does not count as waiting, and can be looked at, oldest first.
pub async fn a_dead_letter_is_kept_but_not_delivered<F: Future<Output = Arc<dyn Queue>>>(
    make: impl Fn(usize) -> F,
) {
    let queue = make(10).await;
    publish(&queue, &batch(1, 0..3)).await;
    let mut consumer = consumer(&queue).await;
    for _ in 0..3 {
        reject(
            next(&mut consumer).await,
            Rejection::DeadLetter("broken".into()),
        )
        .await;
    }
    assert!(is_silent(&mut consumer).await);
    assert_eq!(queue.depth().await.ok(), Some(0));
    assert_eq!(dead(&queue, 2).await, batch(1, 0..2));
    assert_eq!(dead(&queue, 10).await, batch(1, 0..3));
}

/// A redriven letter is delivered again, the oldest first, and is dead no more. The rest can be forgotten.
pub async fn dead_letters_go_back_or_are_forgotten<F: Future<Output = Arc<dyn Queue>>>(
    make: impl Fn(usize) -> F,
) {
    let queue = make(10).await;
    let sent = batch(1, 0..4);
    publish(&queue, &sent).await;
    let mut consumer = consumer(&queue).await;
    for _ in 0..4 {
        let broken = Rejection::DeadLetter("broken".into());
        reject(next(&mut consumer).await, broken).await;
    }
    let redriven = queue.redrive_dead_letters(2).await;
    assert_eq!(redriven.ok().as_deref(), Some(&sent[..2]));
    for expected in &sent[..2] {
        let delivery = next(&mut consumer).await;
        assert_eq!(delivery.message(), expected);
        ack(delivery).await;
    }
    assert_eq!(dead(&queue, 10).await, &sent[2..]);
    assert_eq!(queue.purge_dead_letters().await.ok(), Some(2));
    assert_eq!(dead(&queue, 10).await, []);
    assert_eq!(queue.purge_dead_letters().await.ok(), Some(0));
    let none = queue.redrive_dead_letters(10).await;
    assert_eq!(none.ok(), Some(Vec::new()));
    assert!(is_silent(&mut consumer).await);
}

/// A message keeps its trace, also as a dead letter and after it.
pub async fn a_trace_travels_with_its_message<F: Future<Output = Arc<dyn Queue>>>(
    make: impl Fn(usize) -> F,
) {
    let queue = make(10).await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let mut sent = message(1, 1);
    sent.trace = trace.parse().ok();
    assert!(sent.trace.is_some());
    publish(&queue, std::slice::from_ref(&sent)).await;
    let mut consumer = consumer(&queue).await;
    let delivery = next(&mut consumer).await;
    assert_eq!(delivery.message(), &sent);
    reject(delivery, Rejection::DeadLetter("broken".into())).await;
    assert_eq!(dead(&queue, 1).await, [sent.clone()]);
    assert!(queue.redrive_dead_letters(1).await.is_ok());
    assert_eq!(next(&mut consumer).await.message(), &sent);
}

/// The standing of all queues together is what waits.
pub async fn the_standing_says_what_waits<F: Future<Output = Arc<dyn Queue>>>(
    make: impl Fn(usize) -> F,
) {
    let queue = make(100).await;
    for tenant in 0..10 {
        publish(&queue, &batch(tenant, 0..3)).await;
    }
    let standing = match queue.standing().await {
        Ok(standing) => standing,
        Err(error) => panic!("the standing cannot be read: {error}"),
    };
    let names: BTreeSet<&str> = standing.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names.len(), standing.len());
    assert_eq!(standing.iter().map(|it| it.waiting).sum::<u64>(), 30);
}

/// A full queue takes nothing of a batch, and takes it once there is room.
pub async fn a_full_queue_pushes_back<F: Future<Output = Arc<dyn Queue>>>(
    make: impl Fn(usize) -> F,
) {
    let queue = make(4).await;
    publish(&queue, &batch(1, 0..3)).await;
    let refused = queue.publish(&batch(1, 3..5)).await;
    assert!(matches!(refused, Err(QueueError::Full)), "{refused:?}");
    assert_eq!(queue.depth().await.ok(), Some(3));
    publish(&queue, &batch(1, 3..4)).await;
    let refused = queue.publish(&batch(1, 4..5)).await;
    assert!(matches!(refused, Err(QueueError::Full)), "{refused:?}");
    let mut consumer = consumer(&queue).await;
    ack(next(&mut consumer).await).await;
    publish(&queue, &batch(1, 4..5)).await;
}

/// What is being worked on takes room as well. For queues that can count it, such as the one in memory; a broker counts
/// what waits, and leaves what is being worked on to the number of worker slots.
pub async fn what_is_being_worked_on_takes_room<F: Future<Output = Arc<dyn Queue>>>(
    make: impl Fn(usize) -> F,
) {
    let queue = make(4).await;
    publish(&queue, &batch(1, 0..4)).await;
    let mut consumer = consumer(&queue).await;
    let delivery = next(&mut consumer).await;
    assert_eq!(queue.depth().await.ok(), Some(4));
    assert!(matches!(
        queue.publish(&batch(1, 4..5)).await,
        Err(QueueError::Full)
    ));
    ack(delivery).await;
    publish(&queue, &batch(1, 4..5)).await;
}

/// A slot that works on one message holds no other: a second slot gets them all, whatever queue they are in.
pub async fn a_busy_consumer_hoards_nothing<F: Future<Output = Arc<dyn Queue>>>(
    make: impl Fn(usize) -> F,
) {
    let queue = make(100).await;
    for tenant in 0..20 {
        publish(&queue, &batch(tenant, 0..2)).await;
    }
    let (mut busy, mut idle) = (consumer(&queue).await, consumer(&queue).await);
    let held = next(&mut busy).await;
    for _ in 0..39 {
        ack(next(&mut idle).await).await;
    }
    assert!(is_silent(&mut idle).await);
    ack(held).await;
}

/// Consumers that wait are woken, one for each message.
pub async fn waiting_consumers_are_woken<F: Future<Output = Arc<dyn Queue>>>(
    make: impl Fn(usize) -> F,
) {
    let queue = make(10).await;
    let waiters = (0..3).map(|_| async {
        let mut consumer = consumer(&queue).await;
        ack(next(&mut consumer).await).await;
    });
    let publisher = async {
        tokio::time::sleep(SILENCE).await;
        publish(&queue, &batch(1, 0..3)).await;
    };
    futures::join!(join_all(waiters), publisher);
    assert_eq!(queue.depth().await.ok(), Some(0));
}

/// A consumer that gives up waiting takes no message with it.
pub async fn giving_up_waiting_loses_nothing<F: Future<Output = Arc<dyn Queue>>>(
    make: impl Fn(usize) -> F,
) {
    let queue = make(100).await;
    let mut impatient = consumer(&queue).await;
    let mut patient = consumer(&queue).await;
    for shard in 0..50 {
        assert!(
            timeout(Duration::from_micros(50), impatient.next())
                .await
                .is_err()
        );
        publish(&queue, &[message(1, shard)]).await;
        let delivery = next(&mut patient).await;
        assert_eq!(delivery.message(), &message(1, shard));
        ack(delivery).await;
    }
}
