//! What only a real broker shows: foreign messages, deleted queues, other declarations.

use std::time::Duration;

use lapin::{
    BasicProperties,
    options::{BasicPublishOptions, QueueDeclareOptions, QueueDeleteOptions},
};
use tintype_ports::{Queue as _, queue::QueueError};
use tokio::time::timeout;

use crate::broker::{Broker, PATIENCE, connect, job, settings, start, story};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_understood_becomes_a_dead_letter_and_never_reaches_a_worker() {
    let broker = Broker::shared().await;
    let queue = broker.rabbit().await;
    let bystander = broker.bystander().await;
    let right = "application/x-protobuf; type=tintype.jobs.v1.Job";
    for (content_type, body) in [
        ("text/plain", &b"hello"[..]),
        (right, &b"\xff\xff\xff"[..]),
        // Field 1 is "run_1".
        (right, &b"\x0a\x05run_1"[..]),
    ] {
        let properties = BasicProperties::default().with_content_type(content_type.into());
        let published = bystander.basic_publish(
            "test.jobs".into(),
            "test.jobs.0".into(),
            BasicPublishOptions::default(),
            body,
            properties,
        );
        published.await.expect("a publish");
    }
    queue.publish(&[job(1, 1)]).await.expect("a publish");

    let mut consumer = queue.consume().await.expect("a consumer");
    let mut letters = Vec::new();
    let mut good = None;
    for _ in 0..600 {
        // Waiting is what buries them, so it goes on after the good one.
        if let Ok(delivery) = timeout(Duration::from_millis(100), consumer.next()).await {
            let delivery = delivery.expect("no failure").expect("not closed");
            good = Some(delivery.message().clone());
            delivery.ack().await.expect("an ack");
        }
        letters = queue.dead_letters(10).await.expect("letters");
        if letters.len() == 3 && good.is_some() {
            break;
        }
    }

    assert_eq!(good, Some(job(1, 1)));
    let reasons: Vec<_> = letters
        .iter()
        .map(|letter| letter.reason.as_str())
        .collect();
    assert_eq!(reasons.len(), 3);
    assert!(
        reasons[0].contains("content type is \"text/plain\""),
        "{reasons:?}"
    );
    assert!(reasons[1].contains("no protobuf"), "{reasons:?}");
    assert!(reasons[2].contains("tenant is no id"), "{reasons:?}");
    assert!(
        letters
            .iter()
            .all(|it| it.message.is_none() && it.died_at.is_some())
    );
    // They stay when the others are sent back.
    let redriven = queue.redrive_dead_letters(10).await.expect("a redrive");
    assert_eq!(redriven, []);
    assert_eq!(queue.dead_letters(10).await.expect("letters").len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleted_queues_are_declared_again_under_a_waiting_consumer_and_by_publishing() {
    let broker = Broker::shared().await;
    let queue = broker.rabbit().await;
    let bystander = broker.bystander().await;
    let delete_all = async || {
        for number in 0..4 {
            let name = format!("test.jobs.{number}");
            let deleted = bystander.queue_delete(name.into(), QueueDeleteOptions::default());
            deleted.await.expect("a deletion");
        }
    };
    let mut consumer = queue.consume().await.expect("a consumer");
    let waiting = tokio::spawn(async move {
        loop {
            match consumer.next().await {
                Ok(Some(delivery)) => break delivery.message().clone(),
                Ok(None) => panic!("the queue was closed"),
                Err(QueueError::Full) => panic!("full"),
                Err(QueueError::Unavailable(_)) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    });
    let subscribed = async {
        while !queue
            .standing()
            .await
            .expect("a standing")
            .iter()
            .all(|it| it.consumers == 1)
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, subscribed).await.expect("a subscription");
    delete_all().await;
    queue.publish(&[job(1, 1)]).await.expect("a publish");
    let got = timeout(PATIENCE, waiting).await.expect("a message");
    assert_eq!(got.expect("no panic"), job(1, 1));

    delete_all().await;
    let jobs: Vec<_> = (0..50).map(|tenant| job(tenant, 2)).collect();
    queue.publish(&jobs).await.expect("a publish");
    assert_eq!(queue.depth().await.expect("a depth"), 50);
    delete_all().await;
    assert_eq!(queue.depth().await.expect("a depth"), 0);
}

/// The broker closes a channel for each question about a queue that is gone. The others on the connection go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_fails_leaves_its_connection_alone() {
    let broker = Broker::shared().await;
    let queue = broker.rabbit().await;
    let bystander = broker.bystander().await;
    queue.depth().await.expect("a depth");
    for _ in 0..5 {
        let deleted = bystander.queue_delete("test.jobs.0".into(), QueueDeleteOptions::default());
        deleted.await.expect("a deletion");
        queue.depth().await.expect("a depth");
        let until = tokio::time::Instant::now() + Duration::from_millis(100);
        while tokio::time::Instant::now() < until {
            assert!(queue.is_connected(), "it was connected anew");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_was_declared_otherwise_is_told_by_name() {
    let broker = Broker::shared().await;
    let bystander = broker.bystander().await;
    let options = QueueDeclareOptions {
        durable: true,
        ..Default::default()
    };
    let classic = bystander.queue_declare("test.jobs.2".into(), options, Default::default());
    classic.await.expect("a classic queue");

    let mut impatient = settings(broker.vhost.url(), 10);
    impatient.patience = Duration::from_millis(200);
    let error = start(impatient)
        .ready(Duration::from_secs(5))
        .await
        .expect_err("no queue");

    let text = story(&error);
    assert!(
        text.contains("the queue test.jobs.2 exists in the broker with other settings"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_queue_ends_its_consumers() {
    let broker = Broker::shared().await;
    let queue = broker.rabbit().await;
    let mut consumer = queue.consume().await.expect("a consumer");
    let waiting = tokio::spawn(async move { consumer.next().await.map(|it| it.is_none()) });
    tokio::time::sleep(Duration::from_millis(200)).await;
    queue.close().await;
    let ended = timeout(PATIENCE, waiting)
        .await
        .expect("an end")
        .expect("no panic");
    assert!(ended.expect("no failure"));
    let refused = queue.publish(&[job(1, 1)]).await;
    assert!(matches!(refused, Err(QueueError::Unavailable(_))));
    assert!(!queue.is_connected());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_batch_keeps_the_order_of_each_tenant() {
    let broker = Broker::shared().await;
    let queue = broker.rabbit().await;
    let mut sent = Vec::new();
    for number in 0..100 {
        sent.extend((0..5).map(|tenant| job(tenant, number)));
    }
    for batch in sent.chunks(256) {
        queue.publish(batch).await.expect("a publish");
    }
    let mut consumer = queue.consume().await.expect("a consumer");
    let mut seen = Vec::new();
    for _ in 0..sent.len() {
        let next = timeout(PATIENCE, consumer.next()).await.expect("a message");
        let delivery = next.expect("no failure").expect("not closed");
        seen.push(delivery.message().clone());
        delivery.ack().await.expect("an ack");
    }
    for tenant in 0..5 {
        let of = |all: &[_]| -> Vec<_> {
            let mine = job(tenant, 0).tenant;
            all.iter()
                .filter(|it: &&tintype_ports::queue::JobMessage| it.tenant == mine)
                .cloned()
                .collect()
        };
        assert_eq!(of(&seen), of(&sent), "tenant {tenant}");
    }
}

/// A slot does not trust a silent subscription for ever; what comes while it changes to a new one is neither lost nor late.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_that_subscribes_again_and_again_gets_every_message_in_order() {
    let broker = Broker::shared().await;
    let mut restless = settings(broker.vhost.url(), 100);
    restless.subscription_for = Duration::from_millis(20);
    let queue = connect(restless).await;
    let publisher = queue.clone();
    let publishing = tokio::spawn(async move {
        for number in 0..100 {
            // As long as a subscription and the time to change it, in all phases of it.
            tokio::time::sleep(Duration::from_millis(u64::from(number))).await;
            publisher.publish(&[job(1, number)]).await?;
        }
        Ok::<_, QueueError>(())
    });
    let mut consumer = queue.consume().await.expect("a consumer");
    for number in 0..100 {
        let next = timeout(PATIENCE, consumer.next()).await.expect("a message");
        let delivery = next.expect("no failure").expect("not closed");
        assert_eq!(*delivery.message(), job(1, number));
        delivery.ack().await.expect("an ack");
    }
    let published = publishing.await.expect("no panic");
    published.expect("all published");
    assert_eq!(queue.depth().await.expect("a depth"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_comes_many_times_is_many_messages_and_harms_nothing() {
    let broker = Broker::shared().await;
    let queue = broker.rabbit().await;
    let batch: Vec<_> = (0..10).map(|tenant| job(tenant, 1)).collect();
    for _ in 0..5 {
        queue.publish(&batch).await.expect("a publish");
    }
    let mut consumer = queue.consume().await.expect("a consumer");
    for _ in 0..50 {
        let next = timeout(PATIENCE, consumer.next()).await.expect("a message");
        let delivery = next.expect("no failure").expect("not closed");
        assert!(batch.contains(delivery.message()));
        delivery.ack().await.expect("an ack");
    }
    assert_eq!(queue.depth().await.expect("a depth"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_is_spoken_where_it_is_asked_for_and_never_replaced_by_plain_text() {
    let broker = Broker::shared().await;
    let secured = broker.vhost.url().replacen("amqp://", "amqps://", 1);
    let mut impatient = settings(&secured, 10);
    impatient.patience = Duration::from_millis(200);
    // The broker speaks plain AMQP on this port.
    let error = start(impatient)
        .ready(Duration::from_secs(5))
        .await
        .expect_err("no TLS here");
    let text = story(&error);
    assert!(text.contains("the broker answered with an error"), "{text}");
    assert!(!text.contains("guest"), "{text}");
}
