//! Quota, the write lock and latency.

use std::time::Duration;

use serde_json::json;
use tintype_emulator::{CallKind, DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, DayUse, Library};

use crate::helper::{Google, message};

const DAY_TEXT: &str = "Quota exceeded for quota metric 'All requests' and limit 'All requests per day' of service \
    'photoslibrary.googleapis.com' for consumer 'project_number:123456789012'.";

#[tokio::test]
async fn the_daily_quota_ends_and_begins_again_at_pacific_midnight() {
    let google = Google::with(Library::Sample).await;
    google
        .control()
        .set(|switches| switches.quota.calls_per_day = Some(2));
    assert_eq!(google.get_json("/v1/mediaItems").await.0, 200);
    assert_eq!(google.get_json("/v1/albums").await.0, 200);
    let (status, body) = google.get_json("/v1/mediaItems").await;
    assert_eq!((status, message(&body)), (429, DAY_TEXT));
    let (_, end) = google.control().quota_day();
    google.control().advance(end - google.control().now_ms());
    let fresh = google
        .control()
        .grant(DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, None)
        .unwrap();
    let google = Google {
        token: fresh.access_token,
        ..google
    };
    assert_eq!(google.get_json("/v1/mediaItems").await.0, 200);
    let days = google.control().quota();
    let used: Vec<DayUse> = days
        .values()
        .map(|projects| projects["123456789012"])
        .collect();
    assert_eq!(
        used.iter()
            .map(|day| (day.calls, day.refused))
            .collect::<Vec<_>>(),
        [(2, 1), (1, 0)]
    );
}

#[tokio::test]
async fn base_url_loads_have_their_own_quota() {
    let google = Google::with(Library::Sample).await;
    let (_, base) = google.find("lake.jpg").await;
    let used = DayUse {
        loads: 74_999,
        ..DayUse::default()
    };
    google.control().set_quota_used("123456789012", used);
    assert_eq!(
        google
            .http
            .get(format!("{base}=d"))
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    let refused = google.http.get(format!("{base}=d")).send().await.unwrap();
    assert_eq!(refused.status(), 429);
    assert!(
        refused.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/plain")
    );
    assert_eq!(google.get_json("/v1/mediaItems").await.0, 200);
}

#[tokio::test]
async fn the_quota_of_a_minute_has_its_own_text() {
    let google = Google::with(Library::Sample).await;
    google
        .control()
        .set(|switches| switches.quota.calls_per_minute = Some(1));
    assert_eq!(google.get_json("/v1/mediaItems").await.0, 200);
    let (status, body) = google.get_json("/v1/mediaItems").await;
    assert_eq!(status, 429);
    assert!(message(&body).contains("per minute"));
    google.control().advance(60_000);
    assert_eq!(google.get_json("/v1/mediaItems").await.0, 200);
}

#[tokio::test]
async fn one_write_at_a_time_per_user() {
    let google = Google::with(Library::Sample).await;
    google.control().set(|switches| {
        switches.latency_ms.insert(CallKind::CreateAlbum, 400);
    });
    let body = json!({"album": {"title": "A"}});
    let first = google.post_json("/v1/albums", &body);
    let second = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        google.post_json("/v1/albums", &body).await
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!((first.0, second.0), (200, 429));
    assert!(message(&second.1).contains("'concurrent write request'"));
    assert_eq!(google.post_json("/v1/albums", &body).await.0, 200);
}
