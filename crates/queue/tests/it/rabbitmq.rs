//! The queue on RabbitMQ keeps the promises of the port.

use tintype_ports::contract::queue;

use crate::broker::Broker;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_come_in_order_and_once_acknowledged_never_again() {
    let broker = Broker::shared().await;
    queue::messages_come_in_order_and_once_acknowledged_never_again(|capacity| {
        broker.queue(capacity)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consumers_share_the_work() {
    let broker = Broker::shared().await;
    queue::consumers_share_the_work(|capacity| broker.queue(capacity)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_delivery_comes_again() {
    let broker = Broker::shared().await;
    queue::a_dropped_delivery_comes_again(|capacity| broker.queue(capacity)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_requeued_message_comes_again() {
    let broker = Broker::shared().await;
    queue::a_requeued_message_comes_again(|capacity| broker.queue(capacity)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_letter_is_kept_but_not_delivered() {
    let broker = Broker::shared().await;
    queue::a_dead_letter_is_kept_but_not_delivered(|capacity| broker.queue(capacity)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_letters_go_back_or_are_forgotten() {
    let broker = Broker::shared().await;
    queue::dead_letters_go_back_or_are_forgotten(|capacity| broker.queue(capacity)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_travels_with_its_message() {
    let broker = Broker::shared().await;
    queue::a_trace_travels_with_its_message(|capacity| broker.queue(capacity)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_standing_says_what_waits() {
    let broker = Broker::shared().await;
    queue::the_standing_says_what_waits(|capacity| broker.queue(capacity)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_pushes_back() {
    let broker = Broker::shared().await;
    queue::a_full_queue_pushes_back(|capacity| broker.queue(capacity)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_consumer_hoards_nothing() {
    let broker = Broker::shared().await;
    queue::a_busy_consumer_hoards_nothing(|capacity| broker.queue(capacity)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_consumers_are_woken() {
    let broker = Broker::shared().await;
    queue::waiting_consumers_are_woken(|capacity| broker.queue(capacity)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn giving_up_waiting_loses_nothing() {
    let broker = Broker::shared().await;
    queue::giving_up_waiting_loses_nothing(|capacity| broker.queue(capacity)).await;
}
