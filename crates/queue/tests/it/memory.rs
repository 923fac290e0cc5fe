//! The queue in memory keeps the promises of the port.

use std::sync::Arc;

use tintype_ports::{Queue, contract::queue, queue::QueueError};
use tintype_queue::MemoryQueue;

async fn memory(capacity: usize) -> Arc<dyn Queue> {
    Arc::new(MemoryQueue::new(capacity))
}

#[tokio::test]
async fn messages_come_in_order_and_once_acknowledged_never_again() {
    queue::messages_come_in_order_and_once_acknowledged_never_again(memory).await;
}

#[tokio::test]
async fn consumers_share_the_work() {
    queue::consumers_share_the_work(memory).await;
}

#[tokio::test]
async fn a_dropped_delivery_comes_again() {
    queue::a_dropped_delivery_comes_again(memory).await;
}

#[tokio::test]
async fn a_requeued_message_comes_again() {
    queue::a_requeued_message_comes_again(memory).await;
}

#[tokio::test]
async fn a_dead_letter_is_kept_but_not_delivered() {
    queue::a_dead_letter_is_kept_but_not_delivered(memory).await;
}

#[tokio::test]
async fn dead_letters_go_back_or_are_forgotten() {
    queue::dead_letters_go_back_or_are_forgotten(memory).await;
}

#[tokio::test]
async fn a_trace_travels_with_its_message() {
    queue::a_trace_travels_with_its_message(memory).await;
}

#[tokio::test]
async fn the_standing_says_what_waits() {
    queue::the_standing_says_what_waits(memory).await;
}

#[tokio::test]
async fn a_full_queue_pushes_back() {
    queue::a_full_queue_pushes_back(memory).await;
}

#[tokio::test]
async fn a_busy_consumer_hoards_nothing() {
    queue::a_busy_consumer_hoards_nothing(memory).await;
}

#[tokio::test]
async fn waiting_consumers_are_woken() {
    queue::waiting_consumers_are_woken(memory).await;
}

#[tokio::test]
async fn giving_up_waiting_loses_nothing() {
    queue::giving_up_waiting_loses_nothing(memory).await;
}

#[tokio::test]
async fn what_is_being_worked_on_takes_room() {
    queue::what_is_being_worked_on_takes_room(memory).await;
}

#[tokio::test]
async fn a_closed_queue_ends_its_consumers() {
    let queue = MemoryQueue::new(4);
    let mut consumer = queue.consume().await.expect("a consumer");
    let waiting = tokio::spawn(async move { consumer.next().await.map(|it| it.is_none()) });
    tokio::task::yield_now().await;
    queue.close();
    assert!(waiting.await.expect("no panic").expect("no failure"));
    assert!(matches!(
        queue.publish(&[]).await,
        Err(QueueError::Unavailable(_))
    ));
}
