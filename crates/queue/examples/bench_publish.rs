//! Jobs a second through quorum queues, each batch confirmed by the broker. One JSON line a figure.
//!
//! `bench_publish URL [MESSAGES] [BATCH]`: a broker that nobody else uses. Publishes all in batches, takes them out again, and
//! publishes a few one at a time, as reference.

use std::{
    env,
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use tintype_model::{ShardId, TenantId};
use tintype_ports::{
    Clock, Entropy, Queue,
    queue::{Consumer, JobMessage},
};
use tintype_queue::{RabbitQueue, RabbitSettings};
use tintype_runtime::{SystemClock, SystemEntropy};

type Failure = Box<dyn Error + Send + Sync>;

const TENANTS: usize = 100;
/// Slots that take the messages out again.
const CONSUMERS: usize = 12;
/// What is published one at a time is this part of the rest.
const ONE_BY_ONE: usize = 20;
const READY_WITHIN: Duration = Duration::from_secs(60);

#[expect(clippy::cast_precision_loss, reason = "figures are rounded anyway")]
fn report(what: &str, messages: usize, batch: usize, took: Duration) {
    let per_s = messages as f64 / took.as_secs_f64();
    println!(
        "{}",
        json!({"what": what, "messages": messages, "batch": batch, "per_s": per_s.round()})
    );
}

/// What a relay of the outbox would send: tenants in turn.
fn messages(count: usize) -> Vec<JobMessage> {
    let (clock, entropy) = (SystemClock, SystemEntropy);
    let tenants: Vec<TenantId> = (0..TENANTS)
        .map(|_| TenantId::new(clock.now(), entropy.id_bytes()))
        .collect();
    (0..count)
        .map(|number| JobMessage {
            tenant: tenants[number % TENANTS],
            shard: ShardId::new(clock.now(), entropy.id_bytes()),
            trace: None,
        })
        .collect()
}

async fn take(queue: RabbitQueue, count: usize) -> Result<(), Failure> {
    let mut consumer: Box<dyn Consumer> = queue.consume().await?;
    for _ in 0..count {
        let delivery = consumer.next().await?.ok_or("the queue was closed")?;
        delivery.ack().await?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = env::args().skip(1);
    let url = arguments.next().ok_or("which broker?")?;
    let mut number = |default: usize| arguments.next().map_or(Ok(default), |text| text.parse());
    let (count, batch) = (number(60_000)?, number(256)?);
    let count = count.div_ceil(CONSUMERS) * CONSUMERS;

    let mut settings = RabbitSettings::new(url.into(), "bench");
    settings.capacity = count * 2;
    let queue = RabbitQueue::connect(settings, Arc::new(SystemClock), Arc::new(SystemEntropy))?;
    queue.ready(READY_WITHIN).await?;
    let all = messages(count);

    let begun = Instant::now();
    for part in all.chunks(batch) {
        queue.publish(part).await?;
    }
    report("publish", count, batch, begun.elapsed());

    let begun = Instant::now();
    let takers: Vec<_> = (0..CONSUMERS)
        .map(|_| tokio::spawn(take(queue.clone(), count / CONSUMERS)))
        .collect();
    for taker in takers {
        taker.await??;
    }
    report("take and acknowledge", count, 1, begun.elapsed());

    let few = &all[..(count / ONE_BY_ONE).max(1)];
    let begun = Instant::now();
    for message in few {
        queue.publish(std::slice::from_ref(message)).await?;
    }
    report("one at a time", few.len(), 1, begun.elapsed());
    queue.close().await;
    Ok(())
}
