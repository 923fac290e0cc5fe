//! Uploads and what becomes of them.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Response;
use serde_json::json;
use tintype_emulator::{CallKind, Effect, Fault, Library, Replay};

use crate::helper::{Google, message, photo, text};

const GRANULE: usize = 262_144;

#[tokio::test]
async fn an_uploaded_photo_is_listed_and_comes_back() {
    let google = Google::with(Library::Empty).await;
    let token = google.upload(photo(1)).await;
    let (status, body) = google.create(&[(&token, "one.jpg")]).await;
    assert_eq!(status, 200);
    let result = &body["newMediaItemResults"][0];
    assert_eq!(
        (&result["uploadToken"], &result["status"]["code"]),
        (&json!(token), &json!(null))
    );
    assert_eq!(result["mediaItem"]["mediaMetadata"]["width"], "320");
    let (id, base) = google.find("one.jpg").await;
    assert_eq!(result["mediaItem"]["id"], id.as_str());
    let bytes = google
        .http
        .get(format!("{base}=d"))
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    assert_eq!(bytes, photo(1));
}

#[tokio::test]
async fn a_wrong_checksum_and_an_empty_file_are_refused() {
    let google = Google::with(Library::Empty).await;
    let send = async |bytes: Vec<u8>, hash: String| {
        let call = google
            .post("/v1/uploads")
            .header("x-goog-upload-protocol", "raw");
        call.header("x-goog-hash", format!("sha1={hash}"))
            .body(bytes)
            .send()
            .await
            .unwrap()
            .status()
    };
    let right = STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &photo(1)));
    assert_eq!(send(photo(1), right.clone()).await, 200);
    assert_eq!(send(photo(2), right.clone()).await, 400);
    assert_eq!(send(Vec::new(), right).await, 400);
}

#[tokio::test]
async fn identical_bytes_keep_the_first_name_unless_switched() {
    let google = Google::with(Library::Empty).await;
    let first = google.upload(photo(1)).await;
    let (_, made) = google.create(&[(&first, "first.jpg")]).await;
    let id = made["newMediaItemResults"][0]["mediaItem"]["id"].clone();
    let second = google.upload(photo(1)).await;
    let (_, again) = google.create(&[(&second, "second.jpg")]).await;
    let item = &again["newMediaItemResults"][0]["mediaItem"];
    assert_eq!((&item["id"], &item["filename"]), (&id, &json!("first.jpg")));

    google
        .control()
        .set(|switches| switches.identical_bytes = Replay::AlreadyExists);
    let third = google.upload(photo(1)).await;
    let (_, refused) = google.create(&[(&third, "third.jpg")]).await;
    assert_eq!(refused["newMediaItemResults"][0]["status"]["code"], 6);
    google
        .control()
        .set(|switches| switches.identical_bytes = Replay::Duplicate);
    let (_, doubled) = google.create(&[(&third, "third.jpg")]).await;
    assert_ne!(doubled["newMediaItemResults"][0]["mediaItem"]["id"], id);
}

#[tokio::test]
async fn a_replayed_token_has_three_outcomes() {
    let google = Google::with(Library::Empty).await;
    let token = google.upload(photo(1)).await;
    let (_, made) = google.create(&[(&token, "a.jpg")]).await;
    let id = made["newMediaItemResults"][0]["mediaItem"]["id"].clone();
    let (_, same) = google.create(&[(&token, "a.jpg")]).await;
    assert_eq!(same["newMediaItemResults"][0]["mediaItem"]["id"], id);
    google
        .control()
        .set(|switches| switches.token_replay = Replay::AlreadyExists);
    let (_, refused) = google.create(&[(&token, "a.jpg")]).await;
    assert_eq!(refused["newMediaItemResults"][0]["status"]["code"], 6);
    google
        .control()
        .set(|switches| switches.token_replay = Replay::Duplicate);
    let (_, doubled) = google.create(&[(&token, "a.jpg")]).await;
    assert_ne!(doubled["newMediaItemResults"][0]["mediaItem"]["id"], id);
}

#[tokio::test]
async fn a_batch_fails_in_part_and_the_rest_goes_through() {
    let google = Google::with(Library::Empty).await;
    google
        .control()
        .set(|switches| switches.batch_partial_status = 207);
    let mut tokens = Vec::new();
    for number in 0..4 {
        tokens.push(google.upload(photo(number)).await);
    }
    let poison = Fault::on(CallKind::BatchCreate, Effect::BatchItem { code: 13 });
    google.control().fault(poison.file_name("bad"));
    let names = [
        (tokens[0].as_str(), "a.jpg"),
        (&tokens[1], "bad.jpg"),
        (&tokens[2], "notes.xyz"),
        ("gone", "d.jpg"),
    ];
    let (status, body) = google.create(&names).await;
    assert_eq!(status, 207);
    let codes: Vec<_> = (0..4)
        .map(|place| body["newMediaItemResults"][place]["status"]["code"].clone())
        .collect();
    // A JPEG with an unknown extension is still a JPEG.
    assert_eq!(codes, [json!(null), json!(13), json!(null), json!(3)]);
    let whole =
        Fault::on(CallKind::BatchCreate, Effect::BatchPoison { code: 400 }).file_name("bomb");
    google.control().fault(whole);
    let (status, _) = google
        .create(&[(&tokens[3], "fine.jpg"), (&tokens[1], "bomb.jpg")])
        .await;
    assert_eq!(status, 400);
    let (_, page) = google.get_json("/v1/mediaItems").await;
    assert_eq!(page["mediaItems"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn limits_are_kept() {
    let google = Google::with(Library::Empty).await;
    let many: Vec<(&str, &str)> = vec![("t", "n.jpg"); 51];
    assert_eq!(google.create(&many).await.0, 400);
    let long = "x".repeat(256);
    assert_eq!(google.create(&[("t", &long)]).await.0, 400);
    let (status, body) = google.create(&[("", "n.jpg")]).await;
    assert_eq!(
        (status, message(&body)),
        (400, "Request must contain a valid upload token.")
    );
    let token = google.upload(photo(1)).await;
    google
        .control()
        .set(|switches| switches.storage_left = Some(0));
    let (status, body) = google.create(&[(&token, "n.jpg")]).await;
    assert_eq!(status, 400);
    assert!(message(&body).starts_with("The remaining storage in the user's account"));
    google
        .control()
        .set(|switches| switches.storage_left = None);
    google.control().advance(24 * 3_600_000);
    let fresh = google.token_with(&google.running.grant().scope);
    let google = Google {
        token: fresh,
        ..google
    };
    let (_, late) = google.create(&[(&token, "n.jpg")]).await;
    assert_eq!(
        late["newMediaItemResults"][0]["status"]["code"], 3,
        "upload tokens live a day"
    );
}

struct Resumable<'a> {
    google: &'a Google,
    address: String,
}

impl<'a> Resumable<'a> {
    async fn start(google: &'a Google, size: usize) -> Self {
        let call = google
            .post("/v1/uploads")
            .header("content-length", "0")
            .header("x-goog-upload-command", "start")
            .header("x-goog-upload-content-type", "image/jpeg")
            .header("x-goog-upload-protocol", "resumable")
            .header("x-goog-upload-raw-size", size.to_string());
        let answer = call.send().await.unwrap();
        assert_eq!(
            answer.headers()["x-goog-upload-chunk-granularity"],
            "262144"
        );
        let address = answer.headers()["x-goog-upload-url"]
            .to_str()
            .unwrap()
            .to_owned();
        Self { google, address }
    }

    async fn send(&self, command: &str, offset: usize, bytes: &[u8]) -> reqwest::Result<Response> {
        let call = self
            .google
            .http
            .post(&self.address)
            .bearer_auth(&self.google.token);
        let call = call.header("x-goog-upload-command", command);
        call.header("x-goog-upload-offset", offset.to_string())
            .body(bytes.to_vec())
            .send()
            .await
    }

    async fn query(&self) -> (String, usize) {
        let answer = self.send("query", 0, &[]).await.unwrap();
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        (
            header("x-goog-upload-status"),
            header("x-goog-upload-size-received").parse().unwrap(),
        )
    }
}

fn big_photo() -> Vec<u8> {
    let mut bytes = photo(9);
    bytes.resize(2 * GRANULE + 5000, 7);
    bytes
}

#[tokio::test]
async fn a_resumable_upload_goes_on_after_a_drop_in_mid_chunk() {
    let google = Google::with(Library::Empty).await;
    let bytes = big_photo();
    let upload = Resumable::start(&google, bytes.len()).await;
    google.control().fault(
        Fault::on(
            CallKind::UploadChunk,
            Effect::DropUpload {
                after: GRANULE as u64 + 100,
            },
        )
        .times(1),
    );
    assert!(upload.send("upload, finalize", 0, &bytes).await.is_err());
    assert_eq!(upload.query().await, ("active".to_owned(), GRANULE));
    let wrong = upload.send("upload", 5, &bytes[..GRANULE]).await.unwrap();
    assert_eq!(wrong.status(), 400);
    let uneven = upload
        .send("upload", GRANULE, &bytes[GRANULE..GRANULE + 10])
        .await
        .unwrap();
    assert_eq!(uneven.status(), 400);
    let middle = upload
        .send("upload", GRANULE, &bytes[GRANULE..2 * GRANULE])
        .await
        .unwrap();
    assert_eq!(middle.headers()["x-goog-upload-status"], "active");
    let last = upload
        .send("upload, finalize", 2 * GRANULE, &bytes[2 * GRANULE..])
        .await
        .unwrap();
    assert_eq!(last.headers()["x-goog-upload-status"], "final");
    let token = last.text().await.unwrap();
    assert_eq!(upload.query().await, ("final".to_owned(), bytes.len()));
    let (_, body) = google.create(&[(&token, "big.jpg")]).await;
    let id = text(&body["newMediaItemResults"][0]["mediaItem"]["id"]);
    assert_eq!(
        google
            .control()
            .served_bytes(&id, "original")
            .unwrap()
            .unwrap(),
        bytes
    );
}

#[tokio::test]
async fn a_cancelled_upload_says_so() {
    let google = Google::with(Library::Empty).await;
    let upload = Resumable::start(&google, 10).await;
    upload.send("cancel", 0, &[]).await.unwrap();
    assert_eq!(upload.query().await.0, "cancelled");
    assert_eq!(
        upload
            .send("upload, finalize", 0, &[1; 10])
            .await
            .unwrap()
            .status(),
        400
    );
}
