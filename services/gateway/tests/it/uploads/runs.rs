//! What runs of uploads leave to be looked at: files that failed, and items that Google made twice.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::StatusCode;
use serde_json::json;
use tintype_emulator::{CallKind, DEFAULT_ACCOUNT, Effect, Fault, Replay};

use super::{ask_plan, photo, pictures, put, put_photos, run};
use crate::world::{World, send};

#[tokio::test]
async fn files_that_failed_are_named_with_their_reasons() {
    let world = World::new(0).await;
    let tenant = world.tenant("Acme").await;
    let google = world.account(&tenant).await;
    let (folder, path) = pictures(&world, &tenant, "pictures").await;
    put_photos(&path, "Trips/", 0..20);
    put(&path, "Trips/broken.jpg", &photo(1_000));
    put(&path, "Trips/notes.txt", b"not a photo");
    let refuse = Effect::BatchItem { code: 3 };
    world
        .google
        .fault(Fault::on(CallKind::BatchCreate, refuse).file_name("broken.jpg"));
    let plan = ask_plan(&world, &tenant, (&folder, &google), &json!({})).await;
    let over = run(&world, &tenant, &plan.id(), "partial").await;
    assert_eq!(over["progress"]["stored"], 20, "{over}");
    assert_eq!(over["progress"]["failed"], 2, "{over}");
    let id = over["id"].as_str().expect("an id");
    let failures = format!("/v1/runs/{id}/failures");
    let failures = send(world.of(&tenant, "GET", &failures)).await;
    let told: BTreeMap<&str, &str> = failures.body["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| {
            let text = |field: &str| it[field].as_str().expect("text");
            let code = match text("filename") {
                "broken.jpg" => "corrupt",
                _ => "invalid_input",
            };
            assert_eq!(text("code"), code, "{it}");
            (text("filename"), text("message"))
        })
        .collect();
    let names: Vec<&str> = told.keys().copied().collect();
    assert_eq!(names, ["broken.jpg", "notes.txt"]);
    assert!(told["broken.jpg"].contains("broken.jpg"), "{told:?}");
    assert!(told["notes.txt"].contains("Trips/notes.txt"), "{told:?}");
    assert!(told["notes.txt"].contains(".txt)"), "{told:?}");
}

#[tokio::test]
async fn items_that_google_made_twice_are_listed_in_pages() {
    let world = World::new(0).await;
    let tenant = world.tenant("Acme").await;
    let google = world.account(&tenant).await;
    let url = format!("/v1/storages/{google}/duplicates");
    let none = send(world.of(&tenant, "GET", &url)).await;
    assert_eq!(none.status, StatusCode::OK, "{none:?}");
    let nothing = json!({"data": [], "next_cursor": null, "has_more": false});
    assert_eq!(none.body, nothing);

    world.google.set(|it| it.token_replay = Replay::Duplicate);
    let lost = Fault::on(CallKind::BatchCreate, Effect::DropAfter).times(1);
    world.google.fault(lost);
    let (folder, path) = pictures(&world, &tenant, "pictures").await;
    put_photos(&path, "", 0..30);
    let plan = ask_plan(&world, &tenant, (&folder, &google), &json!({})).await;
    let over = run(&world, &tenant, &plan.id(), "succeeded").await;
    let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for item in world.google.items(DEFAULT_ACCOUNT, 1_000).expect("items") {
        ids.entry(item.file_name).or_default().push(item.id);
    }
    assert!(ids.values().all(|ids| ids.len() == 2), "{ids:?}");

    let (mut told, mut next) = (BTreeSet::new(), format!("{url}?limit=12"));
    let mut pages = 0;
    loop {
        let page = send(world.of(&tenant, "GET", &next)).await;
        assert_eq!(page.status, StatusCode::OK, "{page:?}");
        pages += 1;
        for twin in page.body["data"].as_array().expect("a list") {
            let text = |field: &str| twin[field].as_str().expect("text").to_owned();
            assert_eq!(twin["run"], over["id"], "{twin}");
            assert!(text("found_at").ends_with('Z'), "{twin}");
            let of_name = &ids[&text("file_name")];
            assert!(of_name.contains(&text("id")), "{twin}: {of_name:?}");
            assert!(told.insert(text("file_name")), "both of a name: {twin}");
        }
        let Some(cursor) = page.body["next_cursor"].as_str() else {
            assert_eq!(page.body["has_more"], false);
            break;
        };
        next = format!("{url}?limit=12&cursor={cursor}");
    }
    assert_eq!((told.len(), pages), (30, 3));

    let stranger = world.tenant("Stranger").await;
    let theirs = send(world.of(&stranger, "GET", &url)).await;
    assert_eq!(theirs.status, StatusCode::NOT_FOUND);
    let of_folder = format!("/v1/storages/{folder}/duplicates");
    let of_folder = send(world.of(&tenant, "GET", &of_folder)).await;
    assert_eq!(of_folder.body, nothing, "{of_folder:?}");
}
