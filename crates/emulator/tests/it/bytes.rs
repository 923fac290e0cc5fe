//! Base URLs.

use tintype_emulator::{
    CallKind, DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, Generated, ItemBytes, ItemChange, Library,
    NewItem,
};

use crate::helper::{Google, text};

#[tokio::test]
async fn every_sample_is_served_as_expected_and_the_ledger_knows() {
    let google = Google::with(Library::Sample).await;
    for name in [
        "lake.jpg",
        "tower.jpg",
        "chart.png",
        "garden.heic",
        "motion.jpg",
        "clip.mp4",
    ] {
        let (id, base) = google.find(name).await;
        let suffix = if name == "clip.mp4" { "dv" } else { "d" };
        let answer = google
            .http
            .get(format!("{base}={suffix}"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        let expected = google.control().expected(&id, suffix).unwrap().unwrap();
        assert_eq!(answer.headers()["content-type"], expected.mime.as_str());
        let body = answer.bytes().await.unwrap();
        assert_eq!(
            body,
            google.control().served_bytes(&id, suffix).unwrap().unwrap()
        );
        let original = google
            .control()
            .served_bytes(&id, "original")
            .unwrap()
            .unwrap();
        let has_location = ["lake.jpg", "garden.heic", "motion.jpg", "clip.mp4"].contains(&name);
        assert_eq!(body != original, has_location, "{name}");
        assert_eq!(google.control().downloads_of(&id), 1);
        let through_proxy = google
            .get(&format!("/gphotosdl/id/{id}"))
            .send()
            .await
            .unwrap();
        assert_eq!(through_proxy.bytes().await.unwrap(), original);
    }
    let entries = google.control().ledger(Some(CallKind::Download), 0, 100);
    assert_eq!(entries.len(), 6);
    assert!(
        entries
            .iter()
            .all(|entry| entry.project.as_deref() == Some("123456789012"))
    );
}

#[tokio::test]
async fn ranges_and_heads_work_until_switched_off() {
    let google = Google::with(Library::Generated(Generated::photos(1, 200_000))).await;
    let (id, base) = google.find("IMG_0001.JPG").await;
    let whole = google.control().served_bytes(&id, "d").unwrap().unwrap();
    assert_eq!(whole.len(), 200_000);
    let range = |text: &'static str| {
        google
            .http
            .get(format!("{base}=d"))
            .header("range", text)
            .send()
    };
    let part = range("bytes=70000-140000").await.unwrap();
    assert_eq!(part.status(), 206);
    assert_eq!(part.headers()["content-range"], "bytes 70000-140000/200000");
    assert_eq!(part.bytes().await.unwrap(), whole.slice(70_000..140_001));
    assert_eq!(range("bytes=200000-").await.unwrap().status(), 416);
    let head = google.http.head(format!("{base}=d")).send().await.unwrap();
    assert_eq!(head.headers()["content-length"], "200000");
    google
        .control()
        .set(|switches| (switches.range, switches.head) = (false, false));
    assert_eq!(range("bytes=5-9").await.unwrap().status(), 200);
    assert_eq!(
        google
            .http
            .head(format!("{base}=d"))
            .send()
            .await
            .unwrap()
            .status(),
        405
    );
}

#[tokio::test]
async fn an_expired_url_is_an_html_403_and_a_fresh_one_works() {
    let google = Google::with(Library::Sample).await;
    let (_, base) = google.find("lake.jpg").await;
    google.control().advance(60 * 60 * 1000 + 1);
    let answer = google.http.get(format!("{base}=d")).send().await.unwrap();
    assert_eq!(answer.status(), 403);
    assert!(
        answer.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    // Access tokens die in an hour, too.
    let fresh = google
        .control()
        .grant(DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, None)
        .unwrap();
    let google = Google {
        token: fresh.access_token,
        ..google
    };
    let (_, base) = google.find("lake.jpg").await;
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
    google.control().expire_base_urls();
    assert_eq!(
        google
            .http
            .get(format!("{base}=d"))
            .send()
            .await
            .unwrap()
            .status(),
        403
    );
}

#[tokio::test]
async fn a_removed_item_is_a_404_with_a_picture() {
    let google = Google::with(Library::Sample).await;
    let (id, base) = google.find("lake.jpg").await;
    google.control().remove_item(&id).unwrap();
    let answer = google.http.get(format!("{base}=d")).send().await.unwrap();
    assert_eq!(
        (
            answer.status().as_u16(),
            answer.headers()["content-type"].as_bytes()
        ),
        (404, &b"image/jpeg"[..])
    );
}

#[tokio::test]
async fn a_video_is_served_only_once_it_is_ready() {
    let google = Google::with(Library::Empty).await;
    let control = google.control();
    let clip = NewItem::new("v.mp4", ItemBytes::Sample("clip.mp4".to_owned()));
    let id = control
        .add_item(DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, clip)
        .unwrap();
    let wait = ItemChange {
        processing_ms: Some(5000),
        ..ItemChange::default()
    };
    control.change_item(&id, wait).unwrap();
    let (_, item) = google.get_json(&format!("/v1/mediaItems/{id}")).await;
    assert_eq!(item["mediaMetadata"]["video"]["status"], "PROCESSING");
    let address = format!("{}=dv", text(&item["baseUrl"]));
    assert_eq!(
        google.http.get(&address).send().await.unwrap().status(),
        404
    );
    control.advance(5001);
    assert_eq!(
        google.http.get(&address).send().await.unwrap().status(),
        200
    );
    let (_, item) = google.get_json(&format!("/v1/mediaItems/{id}")).await;
    assert_eq!(item["mediaMetadata"]["video"]["status"], "READY");
}

#[tokio::test]
async fn an_edit_at_google_changes_bytes_and_dimensions() {
    let google = Google::with(Library::Generated(Generated::photos(5, 50_000))).await;
    let (id, base) = google.find("IMG_0003.JPG").await;
    let before = google
        .http
        .get(format!("{base}=d"))
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let edit = ItemChange {
        bytes: Some(ItemBytes::Sample("tower.jpg".to_owned())),
        ..ItemChange::default()
    };
    google.control().change_item(&id, edit).unwrap();
    let after = google
        .http
        .get(format!("{base}=d"))
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    assert_ne!(before, after);
    let (_, item) = google.get_json(&format!("/v1/mediaItems/{id}")).await;
    assert_eq!(item["mediaMetadata"]["width"], "768");
}

#[tokio::test]
async fn a_folder_is_served_from_disk_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("deep")).unwrap();
    let photo = include_bytes!("../../media/lake.jpg");
    std::fs::write(folder.path().join("deep/mine.jpg"), photo).unwrap();
    std::fs::write(folder.path().join("notes.txt"), "no photo").unwrap();
    let google = Google::with(Library::Folder(folder.path().to_owned())).await;
    let (_, base) = google.find("mine.jpg").await;
    let whole = google.http.get(format!("{base}=d")).send().await.unwrap();
    assert_eq!(whole.bytes().await.unwrap(), &photo[..]);
    let part = google
        .http
        .get(format!("{base}=d"))
        .header("range", "bytes=100-")
        .send()
        .await
        .unwrap();
    assert_eq!(part.bytes().await.unwrap(), &photo[100..]);
    assert_eq!(
        google.control().items(DEFAULT_ACCOUNT, 10).unwrap().len(),
        1
    );
}
