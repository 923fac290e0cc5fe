//! Callers that mean no good, or are broken.

use std::time::Duration;

use futures::{StreamExt as _, stream};
use reqwest::{Body, StatusCode};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::world::{PATIENCE, TOKEN, World, send};

async fn still_answers(world: &World) {
    let answer = send(world.ask("GET", "/v1/tenants")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body["data"], serde_json::json!([]));
}

/// What comes back until the server closes the connection.
async fn told(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut text)).await;
    // A reset tells as much as an end.
    let _ = read.expect("the server ends it");
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test]
async fn a_body_without_end_is_cut_short() {
    let world = World::new(1).await;
    let block = || Ok::<_, std::io::Error>(vec![b'['; 64 * 1024]);
    let body = stream::repeat_with(block).take(1_600);
    let asked = world
        .ask("POST", "/v1/tenants")
        .header("content-type", "application/json");
    // The server may close before it has been sent all of it.
    if let Ok(answer) = asked.body(Body::wrap_stream(body)).send().await {
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
    still_answers(&world).await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let world = World::with(1, |gateway| {
        gateway.limits.body_within = Duration::from_millis(100);
    })
    .await;
    for key in ["", "idempotency-key: k\r\n"] {
        let mut stream = TcpStream::connect(world.address())
            .await
            .expect("connected");
        let head = format!(
            "POST /v1/tenants HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\n{key}\
             connection: close\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{{\"na"
        );
        stream.write_all(head.as_bytes()).await.expect("sent");
        let told = told(&mut stream).await;
        assert!(told.starts_with("HTTP/1.1 408"), "{told}");
        assert!(told.contains("body_too_slow"), "{told}");
    }
    still_answers(&world).await;
}

#[tokio::test]
async fn a_body_that_is_cut_off_has_no_effect() {
    let world = World::new(1).await;
    let mut stream = TcpStream::connect(world.address())
        .await
        .expect("connected");
    let head = format!(
        "POST /v1/tenants HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\n\
         content-type: application/json\r\ncontent-length: 200\r\n\r\n{{\"name\":\"a\"}}"
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    stream.shutdown().await.expect("closed");
    told(&mut stream).await;
    still_answers(&world).await;
}

#[tokio::test]
async fn headers_that_are_too_many_are_refused() {
    let world = World::new(1).await;
    let mut stream = TcpStream::connect(world.address())
        .await
        .expect("connected");
    let mut head = "GET /v1/tenants HTTP/1.1\r\nhost: x\r\n".to_owned();
    head.push_str(&format!("x: {}\r\n", "y".repeat(256 * 1024)));
    // The server may close before it has been sent all of it.
    let _ = stream.write_all(head.as_bytes()).await;
    let told = told(&mut stream).await;
    assert!(
        told.is_empty() || told.starts_with("HTTP/1.1 431"),
        "{told}"
    );
    still_answers(&world).await;
}

#[tokio::test]
async fn paths_that_lead_elsewhere_lead_nowhere() {
    let world = World::new(1).await;
    for path in [
        "/v1/tenants/../../etc/passwd",
        "/v1/tenants/%2e%2e%2f",
        "/v1//tenants",
        "/V1/tenants",
        "/v1/tenants/%ff",
        "/",
    ] {
        let mut stream = TcpStream::connect(world.address())
            .await
            .expect("connected");
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.expect("sent");
        let told = told(&mut stream).await;
        assert!(told.starts_with("HTTP/1.1 404"), "{path}: {told}");
        assert!(told.contains("application/problem+json"), "{path}: {told}");
    }
    still_answers(&world).await;
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_nothing_half_done() {
    let world = World::new(1).await;
    let tenant = world.tenant("Acme").await;
    let (source, destination) = (world.account(&tenant).await, world.folder(&tenant).await);
    let body = serde_json::json!({"name": "backup", "source": source, "destination": destination});
    let body = body.to_string();
    let mut stream = TcpStream::connect(world.address())
        .await
        .expect("connected");
    let request = format!(
        "POST /v1/plans HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\ntintype-tenant: {tenant}\r\n\
         idempotency-key: k\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let made = async {
        loop {
            let plans = send(world.of(&tenant, "GET", "/v1/plans")).await;
            if let Some(plan) = plans.body["data"][0]["id"].as_str() {
                return plan.to_owned();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    drop(stream);
    let begun = timeout(Duration::from_secs(2), made).await;
    // The request may not have been read before its caller left; then nothing was done. Either way one plan comes of it.
    let again = async {
        loop {
            let asked = world
                .of(&tenant, "POST", "/v1/plans")
                .header("idempotency-key", "k")
                .header("content-type", "application/json");
            let answer = send(asked.body(body.clone())).await;
            if answer.status != StatusCode::CONFLICT {
                return answer.id();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let again = timeout(PATIENCE, again).await.expect("in time");
    if let Ok(begun) = begun {
        assert_eq!(again, begun);
    }
}
