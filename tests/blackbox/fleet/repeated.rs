//! A broker that delivers every message five times.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use futures::StreamExt as _;
use lapin::{
    Connection, ConnectionProperties,
    options::{BasicConsumeOptions, BasicPublishOptions, QueueBindOptions, QueueDeclareOptions},
    types::FieldTable,
};
use tintype_emulator::CallKind;
use tintype_testkit::sized;

use super::{
    install::Install,
    services::until_ready,
    whole::{is_whole, nothing_was_overspent},
};

const TIMES: u64 = 5;
const QUEUES: u32 = 8;

/// Copies every message of jobs into its queue, so often that it comes [`TIMES`] times. Answers how many came through.
async fn repeat_all(broker: &str) -> Arc<AtomicU64> {
    let connection = Connection::connect(broker, ConnectionProperties::default());
    let connection = connection.await.expect("the broker");
    let channel = connection.create_channel().await.expect("a channel");
    let exclusive = QueueDeclareOptions {
        exclusive: true,
        ..Default::default()
    };
    let tap = channel.queue_declare("test.tap".into(), exclusive, FieldTable::default());
    let tap = tap.await.expect("a queue").name().clone();
    for number in 0..QUEUES {
        let bound = channel.queue_bind(
            tap.clone(),
            "tintype.jobs".into(),
            format!("tintype.jobs.{number}").into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        );
        bound.await.expect("the exchange of jobs");
    }
    let no_ack = BasicConsumeOptions {
        no_ack: true,
        ..Default::default()
    };
    let mut messages = channel
        .basic_consume(tap, "test".into(), no_ack, FieldTable::default())
        .await
        .expect("a consumer");
    let seen = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&seen);
    tokio::spawn(async move {
        let _connection = connection;
        while let Some(Ok(message)) = messages.next().await {
            count.fetch_add(1, Ordering::Relaxed);
            for _ in 1..TIMES {
                // To the queue itself: through the exchange it would come back here.
                let sent = channel.basic_publish(
                    "".into(),
                    message.routing_key.clone(),
                    BasicPublishOptions::default(),
                    &message.data,
                    message.properties.clone(),
                );
                sent.await.expect("the broker takes it");
            }
        }
    });
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_five_times_has_one_effect() {
    let photos = sized(800, 10_000);
    let mut install = Install::new().await;
    install.google.control.set(|switches| {
        switches.latency_ms.insert(CallKind::Download, 50);
    });
    // A worker declares the queues.
    let processes =
        ["vault", "scheduler", "gateway", "worker", "worker"].map(|role| install.serve(role));
    for process in &processes {
        until_ready(process).await;
    }
    let seen = repeat_all(&install.rabbitmq.url()).await;
    let api = install.api();
    let mut customers = Vec::new();
    for number in 0..3 {
        let account = install.google.account(number, photos);
        customers.push(api.customer(account, install.dir.path()).await);
    }
    api.succeeded(&customers).await;
    // A listing, some transfers and a manifest for each of them.
    assert!(seen.load(Ordering::Relaxed) >= 9, "messages were repeated");

    for customer in &customers {
        is_whole(&install.google, customer).await;
        let run = api.run_of(customer).await;
        assert_eq!(run["progress"]["stored"], photos, "{run}");
        assert_eq!(run["progress"]["downloads"], photos, "{run}");
    }
    let served = install.google.control.summary().downloads_per_item;
    let again: Vec<_> = served.iter().filter(|(_, count)| **count != 1).collect();
    assert!(again.is_empty(), "downloaded more than once: {again:?}");
    nothing_was_overspent(&install.google);
}
