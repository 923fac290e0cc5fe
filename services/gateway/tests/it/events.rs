//! The stream of events.

use std::time::Duration;

use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::Value;
use tintype_model::{RunId, TenantId, progress::Progress};
use tintype_ports::events::Event;
use tokio::time::timeout;

use crate::world::{PATIENCE, World, send};

/// A stream that is read line by line.
pub(crate) struct Stream {
    answer: Response,
    text: String,
}

#[derive(Debug, Default, PartialEq)]
pub(crate) struct Message {
    id: Option<u64>,
    pub(crate) name: String,
    pub(crate) data: Value,
}

impl Stream {
    pub(crate) async fn open(request: RequestBuilder) -> Self {
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self {
            answer,
            text: String::new(),
        }
    }

    /// The text up to the next empty line; `None` at the end.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(block);
            }
            let chunk = timeout(PATIENCE, self.answer.chunk()).await;
            let chunk = chunk.expect("in time").expect("a whole stream")?;
            self.text
                .push_str(std::str::from_utf8(&chunk).expect("text"));
        }
    }

    /// The next message that is no heartbeat.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        loop {
            let block = self.block().await?;
            let mut message = Message::default();
            for line in block.lines() {
                match line.split_once(": ") {
                    Some(("id", id)) => message.id = id.parse().ok(),
                    Some(("event", name)) => message.name = name.into(),
                    Some(("data", data)) => {
                        message.data = serde_json::from_str(data).expect("JSON");
                    }
                    _ => {}
                }
            }
            if !message.name.is_empty() {
                return Some(message);
            }
        }
    }
}

fn run(number: u8) -> RunId {
    RunId::new(chrono::DateTime::UNIX_EPOCH, [number; 10])
}

async fn publish(world: &World, tenant: &str, number: u8) -> u64 {
    let tenant: TenantId = tenant.parse().expect("an id");
    let event = Event::RunProgressed {
        run: run(number),
        progress: Progress {
            stored: number.into(),
            ..Progress::default()
        },
    };
    let published = world.app.ports().events.publish(tenant, event).await;
    published.expect("published").0
}

#[tokio::test]
async fn a_run_is_watched_live() {
    let world = World::new(30).await;
    let tenant = world.tenant("Acme").await;
    let plan = world.plan(&tenant).await;
    let mut stream = Stream::open(world.of(&tenant, "GET", "/v1/events")).await;
    let run = world.run(&tenant, &plan).await;
    let mut last = 0;
    loop {
        let message = stream.next().await.expect("goes on");
        let id = message.id.expect("an id");
        assert!(id > last);
        last = id;
        assert_eq!(message.data["run"], run);
        if message.data["status"]["state"] == "succeeded" {
            break;
        }
    }
}

#[tokio::test]
async fn a_watcher_that_comes_back_misses_nothing_or_is_told() {
    let world = World::new(1).await;
    let (tenant, other) = (world.tenant("Acme").await, world.tenant("Other").await);
    let first = publish(&world, &tenant, 1).await;
    publish(&world, &other, 9).await;
    publish(&world, &tenant, 2).await;
    publish(&world, &tenant, 3).await;
    let again = world.of(&tenant, "GET", "/v1/events");
    let mut stream = Stream::open(again.header("last-event-id", first.to_string())).await;
    for expected in [2, 3] {
        let message = stream.next().await.expect("goes on");
        assert_eq!(message.data["progress"]["stored"], expected);
    }
    // More than are held.
    for number in 4..40 {
        publish(&world, &tenant, number).await;
    }
    let again = world.of(&tenant, "GET", "/v1/events");
    let mut late = Stream::open(again.header("last-event-id", first.to_string())).await;
    let gap = late.next().await.expect("goes on");
    assert_eq!((gap.name.as_str(), gap.id), ("gap", None));
    let oldest = late.next().await.expect("goes on");
    assert!(
        oldest.data["progress"]["stored"].as_u64() > Some(4),
        "{oldest:?}"
    );
}

#[tokio::test]
async fn a_stream_is_about_the_runs_it_names() {
    let world = World::new(1).await;
    let tenant = world.tenant("Acme").await;
    let path = format!("/v1/events?topics={},{}", run(2), run(4));
    let mut stream = Stream::open(world.of(&tenant, "GET", &path)).await;
    for number in 1..=4 {
        publish(&world, &tenant, number).await;
    }
    for expected in [2, 4] {
        let message = stream.next().await.expect("goes on");
        assert_eq!(message.data["progress"]["stored"], expected);
    }
    let wrong = send(world.of(&tenant, "GET", "/v1/events?topics=everything")).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_silent_stream_says_that_it_lives() {
    let world = World::with(1, |gateway| {
        gateway.limits.heartbeat = Duration::from_millis(50);
    })
    .await;
    let tenant = world.tenant("Acme").await;
    let mut stream = Stream::open(world.of(&tenant, "GET", "/v1/events")).await;
    assert_eq!(stream.block().await.as_deref(), Some(":"));
}

#[tokio::test]
async fn streams_are_bounded_and_give_their_seats_back() {
    let world = World::with(1, |gateway| gateway.limits.streams = 1).await;
    let tenant = world.tenant("Acme").await;
    let only = Stream::open(world.of(&tenant, "GET", "/v1/events")).await;
    let full = send(world.of(&tenant, "GET", "/v1/events")).await;
    assert_eq!(full.status, StatusCode::SERVICE_UNAVAILABLE);
    drop(only);
    let free = async {
        loop {
            let answer = world.of(&tenant, "GET", "/v1/events").send().await;
            if answer.expect("an answer").status() == StatusCode::OK {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, free)
        .await
        .expect("the seat is free again");
}

#[tokio::test]
async fn one_tenant_leaves_seats_to_the_others() {
    let world = World::with(1, |gateway| gateway.limits.streams_of_a_tenant = 1).await;
    let (busy, quiet) = (world.tenant("Busy").await, world.tenant("Quiet").await);
    let _one = Stream::open(world.of(&busy, "GET", "/v1/events")).await;
    let second = send(world.of(&busy, "GET", "/v1/events")).await;
    assert_eq!(second.status, StatusCode::SERVICE_UNAVAILABLE);
    Stream::open(world.of(&quiet, "GET", "/v1/events")).await;
}

#[tokio::test]
async fn a_stream_ends_in_time_and_goes_on_where_it_ended() {
    let world = World::with(1, |gateway| {
        gateway.limits.stream_age = Duration::from_millis(400);
    })
    .await;
    let tenant = world.tenant("Acme").await;
    let mut stream = Stream::open(world.of(&tenant, "GET", "/v1/events")).await;
    publish(&world, &tenant, 1).await;
    let first = stream.next().await.expect("an event");
    assert_eq!(stream.next().await, None);
    publish(&world, &tenant, 2).await;
    let last = first.id.expect("an id").to_string();
    let again = world.of(&tenant, "GET", "/v1/events");
    let mut stream = Stream::open(again.header("last-event-id", last)).await;
    let second = stream.next().await.expect("an event");
    assert_eq!(second.data["progress"]["stored"], 2);
}

#[tokio::test]
async fn draining_ends_streams_and_then_the_gateway() {
    let mut world = World::new(1).await;
    let tenant = world.tenant("Acme").await;
    let mut stream = Stream::open(world.of(&tenant, "GET", "/v1/events")).await;
    world.draining.cancel();
    assert_eq!(stream.next().await, None);
    let ended = timeout(PATIENCE, &mut world.server).await;
    ended
        .expect("in time")
        .expect("no defect")
        .expect("in order");
    let refused = world.of(&tenant, "GET", "/v1/plans").send().await;
    assert!(refused.is_err());
}
