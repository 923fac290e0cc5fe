//! Plans that write to an account: what they are, which make no sense, what they would do.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tintype_emulator::{CallKind, DEFAULT_ACCOUNT};

use super::{
    account_of, ask_plan, assert_refused, connect, photo, pictures, put, put_photos, run, with,
};
use crate::world::{World, send};

#[tokio::test]
async fn the_two_places_decide_what_a_plan_does() {
    let world = World::new(0).await;
    let tenant = world.tenant("Acme").await;
    let google = world.account(&tenant).await;
    let other = account_of(&world, "other@example.com");
    let other = connect(&world, &tenant, &other).await.id();
    let (folder, path) = pictures(&world, &tenant, "pictures").await;
    put_photos(&path, "Trips/", 0..4);
    let archive = world.folder(&tenant).await;
    for (between, kind) in [
        ((&google, &archive), "backup"),
        ((&folder, &google), "upload"),
        ((&google, &other), "transfer"),
    ] {
        let between = (between.0.as_str(), between.1.as_str());
        let made = ask_plan(&world, &tenant, between, &json!({})).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        assert_eq!(made.body["kind"], kind);
        let path = format!("/v1/plans/{}", made.id());
        assert_eq!(send(world.of(&tenant, "GET", &path)).await.body, made.body);
    }

    let plain = json!({"upload": {"albums": false}, "schedule": {"cron": "0 4 * * *"}});
    let made = ask_plan(&world, &tenant, (&folder, &google), &plain).await;
    assert_eq!(
        made.body["upload"],
        json!({"from": "files", "albums": false}),
        "{made:?}"
    );
    assert_eq!(made.body["next_runs"].as_array().map(Vec::len), Some(5));
    let listed = send(world.of(&tenant, "GET", "/v1/plans")).await;
    let kinds = listed.body["data"].as_array().expect("a list").iter();
    let kinds: Vec<&Value> = kinds.map(|it| &it["kind"]).collect();
    assert_eq!(kinds, ["backup", "upload", "transfer", "upload"]);

    world.google.reset_ledger();
    let over = run(&world, &tenant, &made.id(), "succeeded").await;
    assert_eq!(over["progress"]["stored"], 4, "{over}");
    assert_eq!(over["snapshot"], Value::Null);
    let items = world.google.items(DEFAULT_ACCOUNT, 10);
    assert_eq!(items.expect("the account").len(), 4);
    let calls = world.google.summary().calls;
    assert_eq!(calls.get(&CallKind::CreateAlbum), None, "{calls:?}");
}

#[tokio::test]
async fn what_makes_no_sense_is_pointed_at_and_nothing_is_kept() {
    let world = World::new(0).await;
    let tenant = world.tenant("Acme").await;
    let google = world.account(&tenant).await;
    let reader = with(
        account_of(&world, "reader@example.com"),
        &json!({"read_only": true}),
    );
    let reader = connect(&world, &tenant, &reader).await.id();
    let (folder, _) = pictures(&world, &tenant, "pictures").await;
    let (empty, _) = pictures(&world, &tenant, "empty").await;
    let (locked, _) = pictures(&world, &tenant, "locked").await;
    let archive = world.folder(&tenant).await;
    let backup = ask_plan(&world, &tenant, (&google, &archive), &json!({})).await;
    let backup = backup.id();
    let (_, recipient) = tintype_blob::new_identity();
    let encrypted = json!({"recipients": [recipient]});
    let encrypted = ask_plan(&world, &tenant, (&google, &locked), &encrypted).await;
    let encrypted = encrypted.id();
    let before = send(world.of(&tenant, "GET", "/v1/plans")).await;

    let up = (folder.as_str(), google.as_str());
    let back = (archive.as_str(), google.as_str());
    let down = (google.as_str(), empty.as_str());
    let snapshot = format!("snp_{}", "0".repeat(32));
    let stranger = format!("arc_{}", "0".repeat(32));
    for (between, more, pointer, words) in [
        (up, json!({"layout": "mirror"}), "/layout", "archive"),
        (
            up,
            json!({"recipients": [recipient]}),
            "/recipients",
            "archive",
        ),
        (up, json!({"archive": stranger}), "/archive", "backup"),
        (down, json!({"upload": {}}), "/upload", "reads from it"),
        (
            down,
            json!({"upload": {"from": "files"}}),
            "/upload",
            "reads from it",
        ),
        (
            back,
            json!({"upload": {"from": "snapshot"}}),
            "/upload/plan",
            "missing",
        ),
        (
            back,
            json!({"upload": {"plan": backup}}),
            "/upload/from",
            "snapshot",
        ),
        (
            up,
            json!({"upload": {"snapshot": snapshot}}),
            "/upload/from",
            "snapshot",
        ),
        (
            up,
            json!({"upload": {"from": "snapshot", "plan": backup}}),
            "/upload/plan",
            "no backup to this source",
        ),
        (
            back,
            json!({"upload": {"from": "snapshot", "plan": backup, "snapshot": snapshot}}),
            "/upload/snapshot",
            "0 snapshots",
        ),
        (
            (&locked, &google),
            json!({"upload": {"from": "snapshot", "plan": encrypted}}),
            "/upload/plan",
            "encrypted",
        ),
        (
            (&reader, &google),
            json!({"upload": {"from": "snapshot", "plan": backup}}),
            "/upload/from",
            "transfer",
        ),
        (
            up,
            json!({"upload": {"album": true}}),
            "/upload/album",
            "unknown field",
        ),
        (
            up,
            json!({"upload": {"from": "clouds"}}),
            "/upload/from",
            "",
        ),
        (
            (&google, &google),
            json!({}),
            "/destination",
            "another account",
        ),
        ((&folder, &empty), json!({}), "/source", "google photos"),
        ((&folder, &reader), json!({}), "/destination", "read only"),
        ((&google, &reader), json!({}), "/destination", "read only"),
    ] {
        let refused = ask_plan(&world, &tenant, between, &more).await;
        assert_refused(&refused, pointer, words);
    }
    let after = send(world.of(&tenant, "GET", "/v1/plans")).await;
    assert_eq!(after.body, before.body);
}

#[tokio::test]
async fn the_places_and_backups_of_others_are_not_there() {
    let world = World::new(0).await;
    let (tenant, stranger) = (world.tenant("Acme").await, world.tenant("Stranger").await);
    let theirs = world.plan(&stranger).await;
    let google = world.account(&tenant).await;
    let (folder, _) = pictures(&world, &tenant, "pictures").await;
    let (foreign, _) = pictures(&world, &stranger, "pictures").await;
    let from = json!({"upload": {"from": "snapshot", "plan": theirs}});
    for (source, more) in [(&folder, from), (&foreign, json!({}))] {
        let missing = ask_plan(&world, &tenant, (source, &google), &more).await;
        assert_eq!(missing.status, StatusCode::NOT_FOUND, "{missing:?}");
        assert_eq!(missing.body["code"], "not_found");
    }
    let plans = send(world.of(&tenant, "GET", "/v1/plans")).await;
    assert_eq!(plans.body["data"], json!([]));
}

#[tokio::test]
async fn an_archive_is_uploaded_by_its_snapshots_and_not_by_its_objects() {
    let world = World::new(12).await;
    let tenant = world.tenant("Acme").await;
    let google = world.account(&tenant).await;
    let archive = world.folder(&tenant).await;
    let backup = ask_plan(&world, &tenant, (&google, &archive), &json!({})).await;
    let backup = backup.id();
    let over = run(&world, &tenant, &backup, "succeeded").await;
    let other = account_of(&world, "other@example.com");
    let other = connect(&world, &tenant, &other).await.id();
    let between = (archive.as_str(), other.as_str());
    let objects = ask_plan(&world, &tenant, between, &json!({})).await;
    assert_eq!(objects.status, StatusCode::CONFLICT, "{objects:?}");
    let detail = objects.body["detail"].as_str().expect("text");
    assert!(detail.contains("choose a snapshot"), "{detail}");

    let upload = json!({"from": "snapshot", "plan": backup, "snapshot": over["snapshot"]});
    let made = ask_plan(&world, &tenant, between, &json!({"upload": upload})).await;
    assert_eq!(made.body["upload"], with(upload, &json!({"albums": true})));
    let ahead = format!("/v1/plans/{}/preflight", made.id());
    let ahead = send(world.of(&tenant, "POST", &ahead)).await.body;
    assert_eq!(ahead["uploads"], 12, "{ahead}");
    let over = run(&world, &tenant, &made.id(), "succeeded").await;
    assert_eq!(over["progress"]["bytes"], ahead["bytes"], "{over}");
    let items = world.google.items("other@example.com", 100);
    assert_eq!(items.expect("the account").len(), 12);
}

#[tokio::test]
async fn a_look_ahead_counts_and_asks_google_nothing() {
    let world = World::new(0).await;
    let tenant = world.tenant("Acme").await;
    let google = world.account(&tenant).await;
    let (folder, path) = pictures(&world, &tenant, "pictures").await;
    put_photos(&path, "Trips/", 0..120);
    put(&path, "Trips/notes.txt", b"not a photo");
    put(&path, "empty.jpg", b"");
    let plan = ask_plan(&world, &tenant, (&folder, &google), &json!({})).await;
    let plan = plan.id();
    let url = format!("/v1/plans/{plan}/preflight");
    world.google.reset_ledger();
    let found = send(world.of(&tenant, "POST", &url)).await;
    assert_eq!(found.status, StatusCode::OK, "{found:?}");
    let mut found = found.body;
    let bytes: usize = (0..120).map(|number| photo(number).len()).sum();
    let forecast = found["forecast"].take();
    assert_eq!(forecast["quota_days"], 1, "{forecast}");
    // The quota suffices.
    assert_eq!(forecast["limited_by"], "rate", "{forecast}");
    let mut refused: Vec<Value> =
        serde_json::from_value(found["refused_files"].take()).expect("a list");
    refused.sort_by_key(|file| file["path"].to_string());
    assert_eq!(refused[0]["path"], "Trips/notes.txt");
    assert_eq!(refused[1]["path"], "empty.jpg");
    assert_eq!(refused.len(), 2);
    for (file, reason) in refused.iter().zip([".txt", "0 bytes"]) {
        let told = file["reason"].as_str().expect("a reason");
        assert!(told.contains(reason), "{file}");
    }
    let expected = json!({
        "files": 122, "done": 0, "uploads": 120, "bytes": bytes, "requests": 124,
        "refused": {"empty": 1, "type": 1}, "refused_files": null, "unreadable": [],
        "forecast": null,
    });
    assert_eq!(found, expected);
    assert_eq!(world.google.ledger(None, 0, 10).len(), 0);

    // Afterwards there is nothing left to do but what was refused.
    run(&world, &tenant, &plan, "partial").await;
    world.google.reset_ledger();
    let after = send(world.of(&tenant, "POST", &url)).await.body;
    let counts = ["files", "done", "uploads", "bytes", "requests"].map(|it| &after[it]);
    assert_eq!(counts, [122, 120, 0, 0, 0], "{after}");
    assert_eq!(after["refused"], json!({"empty": 1, "type": 1}));
    assert_eq!(after["forecast"], Value::Null);
    assert_eq!(world.google.ledger(None, 0, 10).len(), 0);

    let stranger = world.tenant("Stranger").await;
    let theirs = send(world.of(&stranger, "POST", &url)).await;
    assert_eq!(theirs.status, StatusCode::NOT_FOUND);
    let archive = world.folder(&tenant).await;
    let backup = ask_plan(&world, &tenant, (&google, &archive), &json!({})).await;
    let url = format!("/v1/plans/{}/preflight", backup.id());
    let backup = send(world.of(&tenant, "POST", &url)).await;
    assert_eq!(backup.status, StatusCode::UNPROCESSABLE_ENTITY);
    let detail = backup.body["detail"].as_str().expect("text");
    assert!(detail.contains("only an upload"), "{detail}");
}
