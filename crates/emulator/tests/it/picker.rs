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
    assert_eq!(picked.len(), items.len());
    assert!(
        picked.iter().all(|id| !items.contains(id)),
        "the picker has ids of its own"
    );
    google.control().set(|it| it.picker_own_ids = false);
    let (_, page) = google.get_json(&list).await;
    let same = page["mediaItems"].as_array().unwrap().iter();
    let same: Vec<String> = same.map(|item| text(&item["id"])).collect();
    assert_eq!(same, items);
    assert!(page["mediaItems"][0]["mediaFile"]["mediaFileMetadata"]["width"].is_number());
    let gone = google
        .http
        .delete(google.url(&format!("/v1/sessions/{id}")))
        .bearer_auth(&google.token);
    assert_eq!(gone.send().await.unwrap().status(), 200);
    assert_eq!(google.get_json(&format!("/v1/sessions/{id}")).await.0, 404);
}

#[tokio::test]
async fn bytes_that_were_picked_are_given_to_who_picked_them_alone() {
    let google = Google::with(Library::Sample).await;
    let token = google.token_with(SCOPE_PICKER);
    let google = Google { token, ..google };
    let (_, session) = google.post_json("/v1/sessions", &json!({})).await;
    let window = text(&session["pickerUri"]);
    assert!(window.starts_with(&google.url("/picker/")), "{window}");
    let page = google.http.get(&window).send().await.unwrap();
    assert!(page.text().await.unwrap().contains("Choose photos"));
    let form = google.http.post(&window).form(&[("newest", "2")]);
    assert_eq!(form.send().await.unwrap().status(), 200);
    let list = format!("/v1/mediaItems?sessionId={}", text(&session["id"]));
    let (_, page) = google.get_json(&list).await;
    let picked = page["mediaItems"].as_array().unwrap();
    assert_eq!(picked.len(), 2);
    let url = format!("{}=d", text(&picked[0]["mediaFile"]["baseUrl"]));
    let load = async |token: Option<&str>| {
        let mut request = google.http.get(&url);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(load(None).await, 403);
    assert_eq!(load(Some("ya29.other")).await, 403);
    assert_eq!(load(Some(&google.token)).await, 200);
}
