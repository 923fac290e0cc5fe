//! What all answers have in common.

use reqwest::StatusCode;
use serde_json::json;

use crate::world::{World, send};

#[tokio::test]
async fn lists_come_in_pages() {
    let world = World::new(1).await;
    let mut made = Vec::new();
    for number in 0..5 {
        made.push(world.tenant(&format!("Tenant {number}")).await);
    }
    // Ids say the millisecond. Tenants of the same one are in the order of their ids.
    made.sort();
    let mut seen: Vec<String> = Vec::new();
    let mut path = "/v1/tenants?limit=2".to_owned();
    loop {
        let page = send(world.ask("GET", &path)).await;
        let data = page.body["data"].as_array().expect("a list");
        seen.extend(
            data.iter()
                .map(|it| it["id"].as_str().expect("an id").to_owned()),
        );
        if page.body["has_more"] == false {
            assert_eq!(page.body["next_cursor"], serde_json::Value::Null);
            break;
        }
        assert_eq!(data.len(), 2);
        let cursor = page.body["next_cursor"].as_str().expect("a cursor");
        path = format!("/v1/tenants?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, made);
    for query in ["limit=0", "limit=101", "limit=x", "cursor=x", "colour=red"] {
        let refused = send(world.ask("GET", &format!("/v1/tenants?{query}"))).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(refused.body["code"], "bad_query");
    }
}

#[tokio::test]
async fn a_problem_says_what_is_wrong_and_which_request_it_was() {
    let world = World::new(1).await;
    let asked = world
        .ask("POST", "/v1/tenants")
        .header("request-id", "abc-1");
    let answer = send(asked.json(&json!({"name": "a", "wieght": 2}))).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.header("request-id"), "abc-1");
    assert_eq!(answer.body["request_id"], "abc-1");
    assert_eq!(answer.body["code"], "invalid_input");
    assert_eq!(answer.body["status"], 422);
    assert_eq!(answer.body["errors"][0]["pointer"], "/wieght");
    let made = send(
        world
            .ask("GET", "/v1/tenants")
            .header("request-id", "no spaces!"),
    )
    .await;
    assert!(made.header("request-id").starts_with("req_"), "{made:?}");
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems_too() {
    let world = World::new(1).await;
    let path = send(world.ask("GET", "/v1/nothing")).await;
    assert_eq!(
        (path.status, &path.body["code"]),
        (StatusCode::NOT_FOUND, &json!("not_found"))
    );
    let method = send(world.ask("DELETE", "/v1/tenants")).await;
    assert_eq!(method.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(method.body["code"], "method_not_allowed");
}

#[tokio::test]
async fn answers_carry_shields() {
    let world = World::new(1).await;
    for path in ["/v1/tenants", "/v1/nothing"] {
        let answer = send(world.ask("GET", path)).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert!(
            answer
                .header("content-security-policy")
                .contains("default-src 'none'")
        );
    }
}

#[tokio::test]
async fn hostile_bodies_are_refused_and_the_next_request_is_answered() {
    let world = World::new(1).await;
    let post = |body: String| {
        let asked = world
            .ask("POST", "/v1/tenants")
            .header("content-type", "application/json");
        send(asked.body(body))
    };
    let deep = format!("{{\"name\":{}1{}}}", "[".repeat(20_000), "]".repeat(20_000));
    for (body, status) in [
        (deep, StatusCode::UNPROCESSABLE_ENTITY),
        (
            r#"{"name":"a","name":"b"}"#.into(),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            r#"{"name":"a","weight":1e400}"#.into(),
            StatusCode::BAD_REQUEST,
        ),
        (
            r#"{"name":"a","weight":-1}"#.into(),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        ("{\"name\":\"\u{7}\"}".into(), StatusCode::BAD_REQUEST),
        (String::new(), StatusCode::BAD_REQUEST),
    ] {
        let shown: String = body.chars().take(40).collect();
        let answer = post(body).await;
        assert_eq!(answer.status, status, "{shown}: {answer:?}");
    }
    let untyped = send(world.ask("POST", "/v1/tenants").body("{}")).await;
    assert_eq!(untyped.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let large = world
        .ask("POST", "/v1/tenants")
        .header("content-type", "application/json");
    let large = large.body(vec![b' '; 1 << 20]).send().await;
    // The server may close before it has read all of it.
    if let Ok(answer) = large {
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
    assert_eq!(
        send(world.ask("GET", "/v1/tenants")).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn requests_beyond_the_bound_are_told_to_come_back() {
    let world = World::with(1, |gateway| gateway.limits.requests = 0).await;
    let answer = send(world.ask("GET", "/v1/tenants")).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.body["code"], "busy");
    assert_eq!(answer.header("retry-after"), "1");
}
