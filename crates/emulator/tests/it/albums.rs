//! Albums and who is in them.

use serde_json::json;
use tintype_emulator::{Generated, Library};

use crate::helper::{Google, message, text};

#[tokio::test]
async fn an_album_is_created_filled_renamed_and_emptied() {
    let google = Google::with(Library::Sample).await;
    let (lake, _) = google.find("lake.jpg").await;
    let (clip, _) = google.find("clip.mp4").await;
    let (status, album) = google
        .post_json("/v1/albums", &json!({"album": {"title": "Trip"}}))
        .await;
    assert_eq!(status, 200);
    assert_eq!(
        album["mediaItemsCount"],
        json!(null),
        "an empty album has no count"
    );
    let id = text(&album["id"]);

    let add = json!({"mediaItemIds": [lake, clip]});
    assert_eq!(
        google
            .post_json(&format!("/v1/albums/{id}:batchAddMediaItems"), &add)
            .await
            .0,
        200
    );
    let title = json!({"title": "Journey"});
    let (_, album) = google
        .patch_json(&format!("/v1/albums/{id}?updateMask=title"), &title)
        .await;
    assert_eq!(
        (&album["title"], &album["mediaItemsCount"]),
        (&json!("Journey"), &json!("2"))
    );
    let cover = json!({"coverPhotoMediaItemId": clip});
    let path = format!("/v1/albums/{id}?updateMask=coverPhotoMediaItemId");
    assert_eq!(
        google.patch_json(&path, &cover).await.1["coverPhotoMediaItemId"],
        clip.as_str()
    );

    let remove = format!("/v1/albums/{id}:batchRemoveMediaItems");
    let repeated = json!({"mediaItemIds": [lake, lake]});
    assert_eq!(google.post_json(&remove, &repeated).await.0, 400);
    let (chart, _) = google.find("chart.png").await;
    let mixed = json!({"mediaItemIds": [lake, chart]});
    assert_eq!(
        google.post_json(&remove, &mixed).await.0,
        400,
        "all or nothing"
    );
    assert_eq!(
        google.get_json(&format!("/v1/albums/{id}")).await.1["mediaItemsCount"],
        "2"
    );
    assert_eq!(google.post_json(&remove, &add).await.0, 200);
    let note = json!({"newEnrichmentItem": {"textEnrichment": {"text": "hello"}}});
    let (status, note) = google
        .post_json(&format!("/v1/albums/{id}:addEnrichment"), &note)
        .await;
    assert_eq!(status, 200);
    assert!(note["enrichmentItem"]["id"].is_string());
}

#[tokio::test]
async fn albums_are_paged_and_unknown_ones_told() {
    let options = Generated {
        albums: 60,
        album_items: 7,
        ..Generated::photos(100, 1000)
    };
    let google = Google::with(Library::Generated(options)).await;
    let (_, first) = google.get_json("/v1/albums?pageSize=50").await;
    assert_eq!(first["albums"].as_array().unwrap().len(), 50);
    assert_eq!(first["albums"][0]["mediaItemsCount"], "7");
    let next = text(&first["nextPageToken"]);
    let (_, second) = google
        .get_json(&format!("/v1/albums?pageSize=50&pageToken={next}"))
        .await;
    assert_eq!(second["albums"].as_array().unwrap().len(), 10);
    assert_eq!(second["nextPageToken"], json!(null));
    assert_eq!(google.get_json("/v1/albums?pageSize=51").await.0, 400);
    let (item, _) = google.find("IMG_0001.JPG").await;
    let (status, body) = google.get_json(&format!("/v1/albums/{item}")).await;
    assert_eq!(
        (status, message(&body)),
        (404, "The provided ID does not match any albums")
    );
    let album = json!({"albumId": first["albums"][3]["id"], "pageSize": 5});
    let (_, page) = google.post_json("/v1/mediaItems:search", &album).await;
    assert_eq!(page["mediaItems"].as_array().unwrap().len(), 5);
    let mut rest = album.clone();
    rest["pageToken"] = page["nextPageToken"].clone();
    let (_, page) = google.post_json("/v1/mediaItems:search", &rest).await;
    assert_eq!(page["mediaItems"].as_array().unwrap().len(), 2);
}
