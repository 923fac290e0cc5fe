//! Listing, searching, getting and patching items.

use std::collections::HashSet;

use serde_json::{Value, json};
use tintype_emulator::{
    ClientConfig, DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, EmulatorConfig, Generated, ItemBytes,
    ItemChange, Library, NewItem, SCOPE_APPEND, Switches,
};

use crate::helper::{Google, message, text};

async fn all_ids(google: &Google, size: usize) -> Vec<String> {
    let mut ids = Vec::new();
    let mut token = String::new();
    loop {
        let path = format!("/v1/mediaItems?pageSize={size}&pageToken={token}");
        let (status, page) = google.get_json(&path).await;
        assert_eq!(status, 200);
        for item in page["mediaItems"].as_array().unwrap_or(&Vec::new()) {
            ids.push(text(&item["id"]));
        }
        match page["nextPageToken"].as_str() {
            Some(next) => token = next.to_owned(),
            None => return ids,
        }
    }
}

#[tokio::test]
async fn an_item_has_the_shape_google_documents() {
    let google = Google::with(Library::Sample).await;
    let (id, _) = google.find("lake.jpg").await;
    let (status, mut item) = google.get_json(&format!("/v1/mediaItems/{id}")).await;
    assert_eq!(status, 200);
    assert!(id.len() >= 55);
    assert!(text(&item["baseUrl"]).starts_with(&google.url("/lh3/")));
    item.as_object_mut().expect("an object").remove("baseUrl");
    let expected = json!({
        "id": id,
        "productUrl": format!("https://photos.google.com/lr/photo/{id}"),
        "mimeType": "image/jpeg",
        "filename": "lake.jpg",
        "mediaMetadata": {
            "creationTime": "2023-07-14T18:05:31Z",
            "width": "1024",
            "height": "768",
            "photo": {
                "cameraMake": "Tintype",
                "cameraModel": "Demo One",
                "focalLength": 4.25,
                "apertureFNumber": 1.8,
                "isoEquivalent": 100,
                "exposureTime": "0.008s",
            },
        },
    });
    assert_eq!(item, expected);
}

#[tokio::test]
async fn a_generated_library_is_listed_whole_newest_first_without_repeats() {
    let google = Google::with(Library::Generated(Generated::photos(1234, 4096))).await;
    let ids = all_ids(&google, 100).await;
    assert_eq!(ids.len(), 1234);
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 1234);
    let known: Vec<String> = google
        .control()
        .items(DEFAULT_ACCOUNT, 2000)
        .unwrap()
        .into_iter()
        .map(|item| item.id)
        .collect();
    assert_eq!(ids, known);
    let (_, page) = google.get_json("/v1/mediaItems").await;
    let items = page["mediaItems"].as_array().unwrap();
    assert_eq!(items.len(), 25);
    let times: Vec<&str> = items
        .iter()
        .map(|item| item["mediaMetadata"]["creationTime"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted_by(|a, b| a > b));
}

#[tokio::test]
async fn odd_pages_still_hold_every_item() {
    let switches = Switches {
        page_overlap: true,
        short_pages: true,
        empty_pages: true,
        ..Switches::default()
    };
    let library = Library::Generated(Generated::photos(300, 1000));
    let google = Google::start(EmulatorConfig {
        switches,
        ..EmulatorConfig::with_library(library)
    })
    .await;
    let ids = all_ids(&google, 20).await;
    assert!(ids.len() > 300, "pages overlap");
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 300);
}

#[tokio::test]
async fn page_sizes_and_tokens_are_checked() {
    let google = Google::with(Library::Sample).await;
    assert_eq!(google.get_json("/v1/mediaItems?pageSize=101").await.0, 400);
    assert_eq!(google.get_json("/v1/mediaItems?pageSize=-1").await.0, 400);
    assert_eq!(
        google.get_json("/v1/mediaItems?pageToken=forged").await.0,
        400
    );
    let (_, page) = google.get_json("/v1/mediaItems?pageSize=2").await;
    let body = json!({"pageToken": page["nextPageToken"]});
    assert_eq!(
        google.post_json("/v1/mediaItems:search", &body).await.0,
        400
    );
}

#[tokio::test]
async fn batch_get_keeps_the_order_and_tells_missing_items() {
    let google = Google::with(Library::Sample).await;
    let (lake, _) = google.find("lake.jpg").await;
    let (clip, _) = google.find("clip.mp4").await;
    google.control().remove_item(&lake).unwrap();
    let path =
        format!("/v1/mediaItems:batchGet?mediaItemIds={lake}&mediaItemIds={clip}&mediaItemIds=x");
    let (status, body) = google.get_json(&path).await;
    assert_eq!(status, 200);
    assert_eq!(body["mediaItemResults"][0]["status"]["code"], 5);
    assert_eq!(
        body["mediaItemResults"][1]["mediaItem"]["id"],
        clip.as_str()
    );
    assert_eq!(body["mediaItemResults"][2]["status"]["code"], 3);
    let twice = format!("/v1/mediaItems:batchGet?mediaItemIds={clip}&mediaItemIds={clip}");
    assert_eq!(google.get_json(&twice).await.0, 400);
    let many = "mediaItemIds=x&".repeat(51);
    assert_eq!(
        google
            .get_json(&format!("/v1/mediaItems:batchGet?{many}"))
            .await
            .0,
        400
    );
}

async fn search(google: &Google, body: Value) -> Vec<String> {
    let (status, page) = google.post_json("/v1/mediaItems:search", &body).await;
    assert_eq!(status, 200, "{page}");
    let items = page["mediaItems"].as_array().cloned().unwrap_or_default();
    items.iter().map(|item| text(&item["filename"])).collect()
}

#[tokio::test]
async fn searches_follow_googles_rules() {
    let google = Google::with(Library::Sample).await;
    let by_type = |kind: &str| json!({"filters": {"mediaTypeFilter": {"mediaTypes": [kind]}}});
    assert_eq!(search(&google, by_type("VIDEO")).await, ["clip.mp4"]);
    assert_eq!(search(&google, by_type("PHOTO")).await.len(), 5);
    let year = json!({"filters": {"dateFilter": {"dates": [{"year": 2023}]}}});
    assert_eq!(search(&google, year).await, ["lake.jpg"]);
    let range = json!({"orderBy": "MediaMetadata.creation_time", "filters": {"dateFilter": {"ranges": [
        {"startDate": {"year": 2019, "month": 4, "day": 2}, "endDate": {"year": 2021, "month": 6}}]}}});
    assert_eq!(search(&google, range).await, ["tower.jpg", "chart.png"]);
    let refused = [
        json!({"albumId": "x", "filters": {}}),
        json!({"orderBy": "MediaMetadata.creation_time"}),
        json!({"filters": {"mediaTypeFilter": {"mediaTypes": ["PHOTO", "VIDEO"]}}}),
        json!({"filters": {"dateFilter": {"dates": vec![json!({"year": 2020}); 6]}}}),
        json!({"pageSize": 101}),
    ];
    for body in refused {
        let (status, answer) = google.post_json("/v1/mediaItems:search", &body).await;
        assert_eq!(
            (status, answer["error"]["status"].as_str()),
            (400, Some("INVALID_ARGUMENT")),
            "{body}"
        );
    }
}

#[tokio::test]
async fn archived_items_show_only_when_asked_for_and_in_albums() {
    let google = Google::with(Library::Sample).await;
    let (lake, _) = google.find("lake.jpg").await;
    let archive = ItemChange {
        archived: Some(true),
        ..ItemChange::default()
    };
    google.control().change_item(&lake, archive).unwrap();
    assert!(!all_ids(&google, 100).await.contains(&lake));
    assert_eq!(search(&google, json!({"pageSize": 100})).await.len(), 5);
    let all = json!({"filters": {"includeArchivedMedia": true}});
    assert_eq!(search(&google, all).await.len(), 6);
    let (_, albums) = google.get_json("/v1/albums").await;
    let album = json!({"albumId": albums["albums"][0]["id"]});
    assert_eq!(search(&google, album).await, ["lake.jpg", "garden.heic"]);
}

#[tokio::test]
async fn only_descriptions_can_be_patched() {
    let google = Google::with(Library::Generated(Generated::photos(3, 4096))).await;
    let id = all_ids(&google, 10).await.remove(1);
    let path = format!("/v1/mediaItems/{id}?updateMask=description");
    let (status, item) = google
        .patch_json(&path, &json!({"description": "a \"quiet\" day\n☀"}))
        .await;
    assert_eq!(
        (status, &item["description"]),
        (200, &json!("a \"quiet\" day\n☀"))
    );
    let long = json!({"description": "x".repeat(1000)});
    assert_eq!(google.patch_json(&path, &long).await.0, 400);
    let other = format!("/v1/mediaItems/{id}?updateMask=filename");
    assert_eq!(
        google.patch_json(&other, &json!({"filename": "x"})).await.0,
        400
    );
}

#[tokio::test]
async fn hostile_names_are_shown_as_they_are() {
    let google = Google::with(Library::Empty).await;
    let name = "../../etc/\u{0}passwd\r\nX: \"☠\".jpg";
    let item = NewItem::new(name, ItemBytes::Photo(5000));
    let id = google
        .control()
        .add_item(DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, item)
        .unwrap();
    let (_, found) = google.get_json(&format!("/v1/mediaItems/{id}")).await;
    assert_eq!(found["filename"], name);
    let bytes = google.get(&format!(
        "/lh3/{}",
        text(&found["baseUrl"]).rsplit('/').next().unwrap()
    ));
    assert_eq!(
        bytes.send().await.unwrap().status(),
        403,
        "a suffix is needed"
    );
}

#[tokio::test]
async fn items_are_visible_only_to_the_client_that_created_them() {
    let google = Google::with(Library::Sample).await;
    let other = "987654321098-other.apps.googleusercontent.com";
    google.control().add_client(ClientConfig {
        client_id: other.to_owned(),
        ..ClientConfig::default()
    });
    let grant = google
        .control()
        .grant(DEFAULT_ACCOUNT, other, None)
        .unwrap();
    let (id, _) = google.find("lake.jpg").await;
    let as_other = Google {
        token: grant.access_token,
        ..google
    };
    assert_eq!(as_other.get_json("/v1/mediaItems").await, (200, json!({})));
    assert_eq!(
        as_other.get_json(&format!("/v1/mediaItems/{id}")).await.0,
        404
    );
    as_other
        .control()
        .set(|switches| switches.visibility_per_client = false);
    assert_eq!(all_ids(&as_other, 100).await.len(), 6);
}

#[tokio::test]
async fn scopes_and_tokens_are_enforced() {
    let google = Google::with(Library::Sample).await;
    let removed = "https://www.googleapis.com/auth/photoslibrary.readonly";
    for scopes in [removed, SCOPE_APPEND] {
        let token = google.token_with(scopes);
        let call = google
            .http
            .get(google.url("/v1/mediaItems"))
            .bearer_auth(token);
        let (status, body) = crate::helper::json(call.send().await.unwrap()).await;
        assert_eq!(status, 403);
        assert_eq!(
            message(&body),
            "Request had insufficient authentication scopes."
        );
    }
    assert_eq!(
        google.post_json("/v1/albums/x:share", &json!({})).await.0,
        403
    );
    assert_eq!(google.get_json("/v1/sharedAlbums").await.0, 403);
    let call = google
        .http
        .get(google.url("/v1/mediaItems"))
        .bearer_auth("nonsense");
    let (status, body) = crate::helper::json(call.send().await.unwrap()).await;
    assert_eq!(
        (status, body["error"]["status"].as_str()),
        (401, Some("UNAUTHENTICATED"))
    );
}

#[tokio::test]
async fn new_items_lag_in_listings() {
    let google = Google::with(Library::Empty).await;
    google
        .control()
        .set(|switches| switches.listing_lag_ms = 60_000);
    let item = NewItem::new("new.jpg", ItemBytes::Photo(5000));
    google
        .control()
        .add_item(DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, item)
        .unwrap();
    assert_eq!(all_ids(&google, 10).await.len(), 0);
    google.control().advance(61_000);
    assert_eq!(all_ids(&google, 10).await.len(), 1);
}
