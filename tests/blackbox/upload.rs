//! `tintype upload`: folders and backups into an account.

mod kill;
mod rclone;

use std::{
    collections::BTreeMap,
    ops::Range,
    path::{Path, PathBuf},
    process::Command,
};

use tintype_emulator::{
    CallKind, Control, DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, Effect, Fault,
    Library, small_photo as photo,
};
use tintype_runtime::HttpSettings;

use crate::household::{Household, run, text, tintype};

const OTHER_ACCOUNT: &str = "other@example.com";

fn name_of(number: usize) -> String {
    format!("photo-{number:04}.jpg")
}

/// Puts a file into a folder; its path has `/` between folders.
fn put(folder: &Path, path: &str, bytes: &[u8]) {
    let file = folder.join(path);
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
    std::fs::write(file, bytes).expect("written");
}

/// Puts photos into a folder, named by their numbers.
fn put_photos(folder: &Path, below: &str, numbers: Range<usize>) {
    for number in numbers {
        let path = format!("{below}{}", name_of(number));
        put(folder, &path, &photo(number));
    }
}

/// A real file that is kept for tests.
fn media(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/emulator/media");
    std::fs::read(format!("{folder}/{name}")).expect("a sample")
}

/// `tintype upload` of a place to the account whose token the household has, unless another file is named.
fn upload(household: &Household, from: &Path, more: &[&str]) -> Command {
    let mut command = tintype(&["upload", "--from", text(from)]);
    if !more.contains(&"--quota-requests") {
        command.args(["--quota-requests", "1000000"]);
    }
    if !more.contains(&"--token-file") {
        command
            .arg("--token-file")
            .arg(household.path("token.json"));
    }
    command
        .args(["--client-id", DEFAULT_CLIENT_ID])
        .args(["--google-url", &household.google.base_url()])
        .arg("--data-dir")
        .arg(household.data())
        .args(more)
        .env("TINTYPE_CLIENT_SECRET", DEFAULT_CLIENT_SECRET);
    command
}

async fn nobody() -> Household {
    Household::new(Library::Empty).await
}

/// Calls of the Library API since the ledger was reset: all but those for tokens.
fn library_calls(control: &Control) -> u64 {
    let calls = control.summary().calls;
    let others = calls.iter().filter(|(kind, _)| **kind != CallKind::Token);
    others.map(|(_, count)| count).sum()
}

/// Ids of the account's items by file name.
fn ids_in(control: &Control, account: &str) -> BTreeMap<String, Vec<String>> {
    let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for item in control.items(account, 1_000_000).expect("the account") {
        ids.entry(item.file_name).or_default().push(item.id);
    }
    ids
}

/// What was uploaded of an item, byte for byte.
fn uploaded(control: &Control, id: &str) -> Vec<u8> {
    let bytes = control.served_bytes(id, "original").expect("an item");
    bytes.expect("its bytes").to_vec()
}

/// The account's albums, each with the number of its items.
async fn albums_in(household: &Household, account: &str) -> BTreeMap<String, u64> {
    let grant = household.control.grant(account, DEFAULT_CLIENT_ID, None);
    let http = HttpSettings::default().client().expect("a client");
    let answer = http
        .get(format!(
            "{}/v1/albums?pageSize=50",
            household.google.base_url()
        ))
        .bearer_auth(grant.expect("a grant").access_token)
        .send()
        .await
        .expect("an answer");
    let page: serde_json::Value = answer.json().await.expect("JSON");
    let mut albums = BTreeMap::new();
    for album in page["albums"].as_array().into_iter().flatten() {
        let title = album["title"].as_str().expect("a title").to_owned();
        let count = album["mediaItemsCount"].as_str().unwrap_or("0");
        let before = albums.insert(title, count.parse().expect("a number"));
        assert_eq!(before, None, "two albums of one title: {page}");
    }
    albums
}

/// All files below a folder, by their names.
fn files_by_name(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.file_name().and_then(|name| name.to_str());
            let bytes = std::fs::read(&path).expect("read");
            let before = files.insert(name.expect("a name").to_owned(), bytes);
            assert!(before.is_none(), "two files of one name: {path:?}");
        }
    }
    files
}

#[tokio::test]
async fn a_thousand_files_cost_hardly_more_calls_than_files() {
    let household = nobody().await;
    let pictures = household.path("pictures");
    put_photos(&pictures, "", 0..300);
    put_photos(&pictures, "Trips/", 300..1_000);
    let ended = run(upload(&household, &pictures, &["--json"])).await;
    ended.assert_code(0);
    let report = ended.json();
    assert_eq!(report["progress"]["stored"], 1_000, "{report}");
    let ids = ids_in(&household.control, DEFAULT_ACCOUNT);
    assert_eq!(ids.len(), 1_000);
    assert!(ids.values().all(|ids| ids.len() == 1));
    // With those that connected the account: a look at its list, and a test of an upload.
    let calls = library_calls(&household.control);
    assert!(calls <= 1_030, "{:?}", household.control.summary().calls);
    assert_eq!(report["progress"]["requests"], calls - 2, "{report}");
}

#[tokio::test]
async fn a_look_ahead_names_what_google_will_refuse_and_sends_nothing() {
    let household = nobody().await;
    let pictures = household.path("pictures");
    put_photos(&pictures, "Trips/", 0..120);
    put(&pictures, "Trips/notes.txt", b"not a photo");
    put(&pictures, "empty.jpg", b"");
    put(&pictures, "huge.jpg", b"");
    let huge = std::fs::File::options()
        .write(true)
        .open(pictures.join("huge.jpg"))
        .expect("opened");
    huge.set_len((200 << 20) + 1).expect("a sparse file");
    let look = async |more: &[&str]| {
        let mut words = vec!["--preflight", "--quota-requests", "50"];
        words.extend(more);
        let ended = run(upload(&household, &pictures, &words)).await;
        ended.assert_code(0);
        ended
    };
    let found = look(&["--json"]).await.json();
    let bytes: usize = (0..120).map(|number| photo(number).len()).sum();
    assert_eq!(found["files"], 123, "{found}");
    assert_eq!(
        (&found["uploads"], &found["done"]),
        (&120.into(), &0.into())
    );
    assert_eq!(found["bytes"], bytes, "{found}");
    // A call each, three batches, the album.
    assert_eq!(found["requests"], 124, "{found}");
    let refused = serde_json::json!({"empty": 1, "too_large": 1, "type": 1});
    assert_eq!(found["refused"], refused, "{found}");
    assert_eq!(found["forecast"]["quota_days"], 3, "{found}");
    // The account was connected, which takes a look at its list and a test of an upload.
    let calls = household.control.summary().calls;
    assert_eq!(library_calls(&household.control), 2, "{calls:?}");
    assert_eq!(household.control.calls(CallKind::BatchCreate), 0);

    household.control.reset_ledger();
    let told = look(&[]).await.stderr;
    assert!(told.contains("3 days"), "{told}");
    for (path, reason) in [
        ("Trips/notes.txt", ".txt"),
        ("empty.jpg", "0 bytes"),
        ("huge.jpg", "200 MB"),
    ] {
        let line = told.lines().find(|line| line.contains(path));
        let line = line.unwrap_or_else(|| panic!("{path} is not named: {told}"));
        assert!(line.contains(reason), "{line}");
    }
    assert_eq!(library_calls(&household.control), 0);
    let items = household.control.items(DEFAULT_ACCOUNT, 10);
    assert!(items.expect("the account").is_empty());
}

#[tokio::test]
async fn one_corrupt_file_among_fifty_is_named_and_the_others_arrive() {
    let household = nobody().await;
    let pictures = household.path("pictures");
    put_photos(&pictures, "Trips/", 0..49);
    put(&pictures, "Trips/broken.jpg", &photo(1_000));
    let refuse = Effect::BatchItem { code: 3 };
    let fault = Fault::on(CallKind::BatchCreate, refuse).file_name("broken.jpg");
    household.control.fault(fault);
    let ended = run(upload(&household, &pictures, &["--json"])).await;
    ended.assert_code(5);
    let report = ended.json();
    assert_eq!(
        (&report["status"], &report["exit_code"]),
        (&"partial".into(), &5.into())
    );
    assert_eq!(report["progress"]["stored"], 49, "{report}");
    let failed = report["failed_items"].as_array().expect("a list");
    assert_eq!(failed.len(), 1, "{report}");
    assert_eq!(failed[0]["file_name"], "broken.jpg", "{report}");
    let reason = failed[0]["reason"].as_str().expect("a reason");
    assert!(reason.contains("broken.jpg"), "{reason}");
    let line = ended
        .stderr
        .lines()
        .find(|line| line.contains("broken.jpg"));
    assert!(
        line.is_some_and(|line| line.contains('✗')),
        "{}",
        ended.stderr
    );

    // Once Google takes it, the same command brings what is missing.
    household.control.clear_faults(None);
    household.control.reset_ledger();
    run(upload(&household, &pictures, &[])).await.assert_code(0);
    let ids = ids_in(&household.control, DEFAULT_ACCOUNT);
    assert_eq!(ids.len(), 50);
    assert!(ids.values().all(|ids| ids.len() == 1), "{ids:?}");
    assert!(household.control.calls(CallKind::UploadRaw) <= 1);
    let albums = albums_in(&household, DEFAULT_ACCOUNT).await;
    assert_eq!(albums, BTreeMap::from([("Trips".to_owned(), 50)]));
}

#[tokio::test]
async fn a_backup_of_this_machine_goes_into_another_account() {
    let household = Household::new(Library::Sample).await;
    run(household.backup(&[])).await.assert_code(0);
    let control = &household.control;
    control.add_account(OTHER_ACCOUNT);
    let other = household.path("other.json");
    let token = control.token_blob(OTHER_ACCOUNT, DEFAULT_CLIENT_ID);
    std::fs::write(&other, token.expect("a token")).expect("written");
    let words = ["--token-file", text(&other), "--json"];
    let ended = run(upload(&household, &household.archive(), &words)).await;
    ended.assert_code(0);
    assert_eq!(ended.json()["progress"]["stored"], 6, "{}", ended.stdout);

    let arrived = ids_in(control, OTHER_ACCOUNT);
    let items = control.items(DEFAULT_ACCOUNT, 100).expect("the account");
    assert_eq!(arrived.len(), items.len());
    for item in items {
        let is_video = item.mime.starts_with("video/");
        let suffix = if is_video { "dv" } else { "d" };
        let served = control.served_bytes(&item.id, suffix).expect("an item");
        let ids = &arrived[&item.file_name];
        assert_eq!(ids.len(), 1, "{}", item.file_name);
        let there = uploaded(control, &ids[0]);
        assert!(
            there == served.expect("bytes"),
            "{} differs",
            item.file_name
        );
    }
    assert_eq!(
        albums_in(&household, OTHER_ACCOUNT).await,
        albums_in(&household, DEFAULT_ACCOUNT).await
    );

    // The backup of the first account goes on as if nothing had been.
    control.reset_ledger();
    let again = run(household.backup(&["--full"])).await;
    again.assert_code(0);
    let report = again.json();
    assert_eq!(
        (&report["items"], &report["progress"]["gone"]),
        (&6.into(), &0.into())
    );
    assert_eq!(control.calls(CallKind::Download), 0, "{report}");
}

#[tokio::test]
async fn an_upload_leaves_alone_what_a_backup_chose() {
    let household = Household::new(Library::Sample).await;
    let backup = async || {
        let ended = run(household.backup(&["--include-archived"])).await;
        ended.assert_code(0);
        ended.json()["mode"].as_str().expect("a mode").to_owned()
    };
    assert_eq!(backup().await, "full");
    let pictures = household.path("pictures");
    put_photos(&pictures, "", 0..3);
    run(upload(&household, &pictures, &[])).await.assert_code(0);
    // A change of what is listed would make it a full one.
    assert_eq!(backup().await, "routine");
}

#[tokio::test]
async fn a_source_that_is_not_there_is_told_before_google_is_asked() {
    let household = nobody().await;
    let ended = run(upload(&household, &household.path("nowhere"), &[])).await;
    ended.assert_code(2);
    assert!(ended.stderr.contains("--from"), "{}", ended.stderr);
    assert!(ended.stderr.contains("nowhere"), "{}", ended.stderr);
    assert!(!household.path("nowhere").exists());
    assert_eq!(household.control.calls(CallKind::UploadRaw), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_person_with_the_same_client_has_an_account_of_their_own() {
    let household = nobody().await;
    let control = &household.control;
    let pictures = household.path("pictures");
    put_photos(&pictures, "", 0..20);
    run(upload(&household, &pictures, &[])).await.assert_code(0);
    control.add_account(OTHER_ACCOUNT);
    let other = household.path("other.json");
    let token = control.token_blob(OTHER_ACCOUNT, DEFAULT_CLIENT_ID);
    std::fs::write(&other, token.expect("a token")).expect("written");
    let words = ["--token-file", text(&other), "--json"];
    for stored in [20, 0] {
        let ended = run(upload(&household, &pictures, &words)).await;
        ended.assert_code(0);
        assert_eq!(ended.json()["progress"]["stored"], stored);
        assert_eq!(ids_in(control, OTHER_ACCOUNT).len(), 20);
    }
    // The first one is as it was, also with a new token.
    let token = control.token_blob(DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID);
    std::fs::write(household.path("token.json"), token.expect("a token")).expect("written");
    put_photos(&pictures, "", 20..21);
    let ended = run(upload(&household, &pictures, &["--json"])).await;
    ended.assert_code(0);
    assert_eq!(ended.json()["progress"]["stored"], 1);
    assert_eq!(ids_in(control, DEFAULT_ACCOUNT).len(), 21);
    assert_eq!(ids_in(control, OTHER_ACCOUNT).len(), 20);
}
