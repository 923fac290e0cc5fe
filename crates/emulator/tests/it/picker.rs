//! The Picker API.

use serde_json::json;
use tintype_emulator::{DEFAULT_ACCOUNT, Library, SCOPE_PICKER};

use crate::helper::{Google, text};

#[tokio::test]
async fn items_can_be_listed_once_a_person_picked_them() {
    let google = Google::with(Library::Sample).await;
    let token = google.token_with(SCOPE_PICKER);
    let google = Google { token, ..google };
    let (status, session) = google.post_json("/v1/sessions", &json!({})).await;
    assert_eq!(status, 200);
    assert_eq!(session["mediaItemsSet"], false);
    assert_eq!(session["pollingConfig"]["pollInterval"], "5s");
    let id = text(&session["id"]);
    let list = format!("/v1/mediaItems?sessionId={id}&pageSize=1000");
    let (status, early) = google.get_json(&list).await;
    assert_eq!(
        (status, early["error"]["status"].as_str()),
        (400, Some("FAILED_PRECONDITION"))
    );
    let items: Vec<String> = google
        .control()
        .items(DEFAULT_ACCOUNT, 3)
        .unwrap()
        .into_iter()
        .map(|item| item.id)
        .collect();
    google.control().pick(&id, &items).unwrap();
    let (_, page) = google.get_json(&list).await;
    let picked: Vec<String> = page["mediaItems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| text(&item["id"]))
        .collect();
    assert_eq!(picked, items);
    assert!(page["mediaItems"][0]["mediaFile"]["mediaFileMetadata"]["width"].is_number());
    let gone = google
        .http
        .delete(google.url(&format!("/v1/sessions/{id}")))
        .bearer_auth(&google.token);
    assert_eq!(gone.send().await.unwrap().status(), 200);
    assert_eq!(google.get_json(&format!("/v1/sessions/{id}")).await.0, 404);
}
