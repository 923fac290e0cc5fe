//! Faults on demand.

use tintype_emulator::{CallKind, DEFAULT_ACCOUNT, Effect, Fault, Generated, Library};

use crate::helper::{Google, message};

async fn one_photo() -> (Google, String, Vec<u8>) {
    let google = Google::with(Library::Generated(Generated::photos(1, 100_000))).await;
    let (id, base) = google.find("IMG_0001.JPG").await;
    let whole = google
        .control()
        .served_bytes(&id, "d")
        .unwrap()
        .unwrap()
        .to_vec();
    (google, format!("{base}=d"), whole)
}

#[tokio::test]
async fn the_next_calls_of_a_kind_fail_and_then_it_is_over() {
    let google = Google::with(Library::Sample).await;
    let effect = Effect::Status {
        code: 503,
        message: None,
        retry_after: Some(7),
    };
    google
        .control()
        .fault(Fault::on(CallKind::ListItems, effect).times(2));
    let answer = google.get("/v1/mediaItems").send().await.unwrap();
    assert_eq!(answer.headers()["retry-after"], "7");
    assert_eq!(google.get_json("/v1/mediaItems").await.0, 503);
    assert_eq!(google.get_json("/v1/mediaItems").await.0, 200);
    assert_eq!(google.control().faults()[0].hits, 2);
    assert_eq!(
        google.control().summary().statuses[&CallKind::ListItems][&503],
        2
    );
}

#[tokio::test]
async fn bodies_are_spoiled_in_every_way() {
    let (google, address, whole) = one_photo().await;
    let control = google.control();
    let load = async |effect| {
        control.fault(Fault::on(CallKind::Download, effect).times(1));
        let answer = google.http.get(&address).send().await.unwrap();
        (answer.status().as_u16(), answer.bytes().await)
    };
    assert!(
        load(Effect::Truncate { at: 0.5 }).await.1.is_err(),
        "the connection breaks"
    );
    let (_, short) = load(Effect::Short { at: 0.5 }).await;
    assert_eq!(short.unwrap(), &whole[..50_000]);
    let (_, corrupt) = load(Effect::Corrupt).await;
    let corrupt = corrupt.unwrap();
    assert_eq!(corrupt.len(), whole.len());
    assert_ne!(corrupt, whole);
    assert_eq!(load(Effect::Empty).await.1.unwrap().len(), 0);
    let (status, html) = load(Effect::Html).await;
    assert_eq!(status, 200);
    assert!(html.unwrap().starts_with(b"<!DOCTYPE html>"));
    assert_eq!(
        load(Effect::Oversized { extra: 10 }).await.1.unwrap().len(),
        100_010
    );
    let (status, plain) = load(Effect::Status {
        code: 429,
        message: None,
        retry_after: None,
    })
    .await;
    assert_eq!(
        (status, &plain.unwrap()[..]),
        (429, &b"Rate limit exceeded"[..])
    );
    let whole_again = google
        .http
        .get(&address)
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    assert_eq!(whole_again, whole);
    control.fault(Fault::on(CallKind::Download, Effect::DropBefore).times(1));
    assert!(google.http.get(&address).send().await.is_err());
    let dropped = control.summary().statuses[&CallKind::Download][&0];
    assert_eq!(dropped, 1);
}

#[tokio::test]
async fn a_truncated_body_is_booked_as_sent() {
    let (google, address, _) = one_photo().await;
    google
        .control()
        .fault(Fault::on(CallKind::Download, Effect::Truncate { at: 0.25 }).times(1));
    assert!(
        google
            .http
            .get(&address)
            .send()
            .await
            .unwrap()
            .bytes()
            .await
            .is_err()
    );
    // The next call on the ledger proves that the broken one is closed.
    google
        .http
        .get(&address)
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let entries = google.control().ledger(Some(CallKind::Download), 0, 10);
    assert_eq!(
        entries.iter().map(|entry| entry.bytes).collect::<Vec<_>>(),
        [25_000, 100_000]
    );
}

#[tokio::test]
async fn a_fraction_of_items_fails_once_each_and_always_the_same() {
    let google = Google::with(Library::Generated(Generated::photos(200, 1000))).await;
    let effect = Effect::Status {
        code: 500,
        message: None,
        retry_after: None,
    };
    let fault = Fault::on(CallKind::GetItem, effect)
        .fraction(0.25)
        .times_per_item(1);
    google.control().fault(fault);
    let items = google.control().items(DEFAULT_ACCOUNT, 200).unwrap();
    let mut failed = 0;
    for item in &items {
        let path = format!("/v1/mediaItems/{}", item.id);
        if google.get_json(&path).await.0 == 500 {
            failed += 1;
            assert_eq!(google.get_json(&path).await.0, 200, "once each");
        }
    }
    assert!((30..=70).contains(&failed), "{failed} of 200");
}

#[tokio::test]
async fn malformed_json_and_lost_answers_are_possible() {
    let google = Google::with(Library::Sample).await;
    google
        .control()
        .fault(Fault::on(CallKind::ListItems, Effect::MalformedJson).times(1));
    let text = google
        .get("/v1/mediaItems")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(&text).is_err());
    google
        .control()
        .fault(Fault::on(CallKind::CreateAlbum, Effect::DropAfter).times(1));
    let body = serde_json::json!({"album": {"title": "Lost"}});
    assert!(google.post("/v1/albums").json(&body).send().await.is_err());
    let (_, albums) = google.get_json("/v1/albums").await;
    assert_eq!(
        albums["albums"][1]["title"], "Lost",
        "it was created all the same"
    );
}

#[tokio::test]
async fn switches_and_faults_are_set_over_http() {
    let google = Google::with(Library::Sample).await;
    let (status, switches) = google
        .patch_json(
            "/__emulator/switches",
            &serde_json::json!({"api_disabled": true}),
        )
        .await;
    assert_eq!((status, &switches["api_disabled"]), (200, &true.into()));
    let (status, body) = google.get_json("/v1/mediaItems").await;
    assert_eq!(status, 403);
    assert!(
        message(&body).starts_with("Photos Library API has not been used in project 123456789012")
    );
    google
        .patch_json(
            "/__emulator/switches",
            &serde_json::json!({"api_disabled": false}),
        )
        .await;
    let fault = serde_json::json!({"do": "status", "code": 500, "kind": "list_items", "times": 1});
    let (status, id) = google.post_json("/__emulator/faults", &fault).await;
    assert_eq!((status, &id["id"]), (200, &1.into()));
    assert_eq!(google.get_json("/v1/mediaItems").await.0, 500);
    let (_, ledger) = google
        .get_json("/__emulator/ledger?kind=list_items&limit=10")
        .await;
    let statuses: Vec<_> = ledger["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["status"].clone())
        .collect();
    assert_eq!(statuses, [403, 500]);
    assert_eq!(
        google
            .patch_json("/__emulator/switches", &serde_json::json!({"no_such": 1}))
            .await
            .0,
        400
    );
}
