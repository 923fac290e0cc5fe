//! Uploads over the API.

mod batch;
mod plans;
mod runs;

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use reqwest::StatusCode;
use serde_json::{Value, json};
use tintype_emulator::{DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, small_photo as photo};

use crate::world::{Answer, World, send};

/// Puts a file into a folder; its path has `/` between folders.
fn put(folder: &Path, path: &str, bytes: &[u8]) {
    let file = folder.join(path);
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
    std::fs::write(file, bytes).expect("written");
}

/// Puts photos into a folder, named by their numbers.
fn put_photos(folder: &Path, below: &str, numbers: Range<usize>) {
    for number in numbers {
        let path = format!("{below}photo-{number:04}.jpg");
        put(folder, &path, &photo(number));
    }
}

/// `body` with more fields.
fn with(mut body: Value, more: &Value) -> Value {
    for (field, value) in more.as_object().into_iter().flatten() {
        body[field] = value.clone();
    }
    body
}

async fn connect(world: &World, tenant: &str, body: &Value) -> Answer {
    send(world.of(tenant, "POST", "/v1/storages").json(body)).await
}

/// A connected folder with nothing in it.
async fn pictures(world: &World, tenant: &str, name: &str) -> (String, PathBuf) {
    let path = world.dir.path().join(format!("{tenant}-{name}"));
    std::fs::create_dir(&path).expect("a folder");
    let body = json!({"kind": "local_folder", "name": name, "path": path});
    (connect(world, tenant, &body).await.id(), path)
}

/// An account of somebody who uses the same OAuth client, not connected yet.
fn account_of(world: &World, email: &str) -> Value {
    world.google.add_account(email);
    let grant = world.google.grant(email, DEFAULT_CLIENT_ID, None);
    json!({"kind": "google_photos", "name": email, "credential": {
        "client_id": DEFAULT_CLIENT_ID,
        "client_secret": DEFAULT_CLIENT_SECRET,
        "refresh_token": grant.expect("a grant").refresh_token,
    }})
}

/// Asks for a plan between two places.
async fn ask_plan(world: &World, tenant: &str, between: (&str, &str), more: &Value) -> Answer {
    let (source, destination) = between;
    let name = format!("{source} {destination} {more}").replace(['"', '{', '}'], "");
    let name: String = name.chars().take(100).collect();
    let body = json!({"name": name, "source": source, "destination": destination});
    let body = with(body, more);
    send(world.of(tenant, "POST", "/v1/plans").json(&body)).await
}

/// Runs a plan to its end, in this state.
async fn run(world: &World, tenant: &str, plan: &str, state: &str) -> Value {
    let run = world.run(tenant, plan).await;
    let ends = ["succeeded", "partial", "failed"];
    let over = world.until(tenant, &run, &ends).await;
    assert_eq!(over["state"], state, "{over}");
    over
}

/// The answer refuses what was sent: this field, with these words.
#[track_caller]
fn assert_refused(answer: &Answer, pointer: &str, words: &str) {
    assert_eq!(
        answer.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{answer:?}"
    );
    let fault = &answer.body["errors"][0];
    assert_eq!(fault["pointer"], pointer, "{answer:?}");
    let detail = answer.body["detail"].as_str().expect("text");
    assert!(detail.contains(words), "{words:?}: {answer:?}");
}
