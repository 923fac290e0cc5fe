//! Beside real rclone with the same OAuth client: what one of the two uploads, the other lists and reads.

use std::{collections::BTreeMap, path::Path, process::Command};

use tempfile::TempDir;
use tintype_emulator::{
    CallKind, DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, Emulator, EmulatorConfig,
    InterceptConfig, Library,
};
use tintype_testkit::provided;

use super::{albums_in, files_by_name, library_calls, media, put, upload};
use crate::household::{Household, run, text, tintype};

/// A person who uses both.
struct Both(Household);

impl Both {
    /// Google serves what was uploaded wherever it can.
    async fn new() -> Self {
        let dir = TempDir::new().expect("a folder");
        let mut config = EmulatorConfig {
            intercept: Some(InterceptConfig {
                ca_file: Some(dir.path().join("ca.pem")),
                ..InterceptConfig::default()
            }),
            ..EmulatorConfig::with_library(Library::Empty)
        };
        config.switches.strip_location = false;
        config.switches.transcode_video = false;
        let google = Emulator::start(config).await.expect("the emulator starts");
        let token = google.token_blob();
        std::fs::write(dir.path().join("token.json"), &token).expect("written");
        let remote = format!(
            "[gp]\ntype = google photos\nclient_id = {DEFAULT_CLIENT_ID}\n\
             client_secret = {DEFAULT_CLIENT_SECRET}\ntoken = {token}\n\
             batch_mode = sync\nbatch_size = 4\nbatch_timeout = 200ms\n"
        );
        std::fs::write(dir.path().join("rclone.conf"), remote).expect("written");
        let control = google.control();
        Self(Household {
            google,
            control,
            dir,
        })
    }

    /// What rclone prints, line by line in order.
    async fn rclone(&self, arguments: &[&str]) -> Vec<String> {
        let proxy = self.0.google.proxy_url().expect("a proxy");
        let mut command = Command::new(provided::rclone());
        command
            .env_clear()
            .env("HOME", self.0.dir.path())
            .env("HTTPS_PROXY", proxy)
            .env("SSL_CERT_FILE", self.0.path("ca.pem"))
            .arg("--config")
            .arg(self.0.path("rclone.conf"))
            .args(["--low-level-retries", "2", "--retries", "1"])
            .args(arguments);
        let ended = run(command).await;
        ended.assert_code(0);
        let mut lines: Vec<String> = ended.stdout.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }
}

/// Puts real files into a folder; what is there by name comes back.
fn put_media(folder: &Path, names: &[&str]) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for name in names {
        put(folder, name, &media(name));
        files.insert((*name).to_owned(), media(name));
    }
    files
}

#[track_caller]
fn assert_same(there: &BTreeMap<String, Vec<u8>>, expected: &BTreeMap<String, Vec<u8>>) {
    assert!(there.keys().eq(expected.keys()), "{:?}", there.keys());
    for (name, bytes) in expected {
        assert!(there[name] == *bytes, "{name} differs");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_tintype_uploads_rclone_lists_and_copies_back_byte_for_byte() {
    let both = Both::new().await;
    let household = &both.0;
    let pictures = household.path("pictures");
    put_media(&pictures, &["tower.jpg"]);
    let rome = put_media(
        &pictures.join("Trips/2019 Rome"),
        &["lake.jpg", "garden.heic", "chart.png"],
    );
    let clips = put_media(&pictures.join("Clips"), &["clip.mp4", "motion.jpg"]);
    let ended = run(upload(household, &pictures, &["--json"])).await;
    ended.assert_code(0);
    let report = ended.json();
    assert_eq!(
        (&report["status"], &report["exit_code"]),
        (&"succeeded".into(), &0.into())
    );
    assert_eq!(report["source"], text(&pictures), "{report}");
    assert_eq!(report["failed_items"], serde_json::json!([]));
    let progress = &report["progress"];
    assert_eq!(
        (&progress["new"], &progress["stored"]),
        (&6.into(), &6.into()),
        "{report}"
    );
    let bytes: usize = files_by_name(&pictures).values().map(Vec::len).sum();
    assert_eq!(progress["bytes"], bytes, "{report}");

    assert_eq!(
        both.rclone(&["lsf", "gp:album"]).await,
        ["Clips/", "Trips/"]
    );
    assert_eq!(
        both.rclone(&["lsf", "gp:album/Trips"]).await,
        ["2019 Rome/"]
    );
    let all = both.rclone(&["lsf", "gp:media/all"]).await;
    assert_eq!(
        all,
        [
            "chart.png",
            "clip.mp4",
            "garden.heic",
            "lake.jpg",
            "motion.jpg",
            "tower.jpg"
        ]
    );
    for (album, expected) in [("Trips/2019 Rome", rome), ("Clips", clips)] {
        let target = household.path("copy").join(album);
        let from = format!("gp:album/{album}");
        both.rclone(&["copy", &from, text(&target)]).await;
        assert_same(&files_by_name(&target), &expected);
    }

    household.control.reset_ledger();
    let again = run(upload(household, &pictures, &["--json"])).await;
    again.assert_code(0);
    assert_eq!(again.json()["progress"]["stored"], 0, "{}", again.stdout);
    let calls = household.control.summary().calls;
    assert_eq!(library_calls(&household.control), 0, "{calls:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_rclone_uploads_tintype_backs_up_and_restores_byte_for_byte() {
    let both = Both::new().await;
    let household = &both.0;
    let pictures = household.path("pictures");
    let names = [
        "chart.png",
        "clip.mp4",
        "garden.heic",
        "lake.jpg",
        "motion.jpg",
        "tower.jpg",
    ];
    let expected = put_media(&pictures, &names);
    both.rclone(&["copy", text(&pictures), "gp:album/Trip"])
        .await;
    let albums = albums_in(household, DEFAULT_ACCOUNT).await;
    assert_eq!(albums, BTreeMap::from([("Trip".to_owned(), 6)]));

    let ended = run(household.backup(&[])).await;
    ended.assert_code(0);
    assert_eq!(ended.json()["progress"]["stored"], 6, "{}", ended.stdout);
    let (archive, target) = (household.archive(), household.path("restored"));
    run(tintype(&["restore", text(&archive), "--to", text(&target)]))
        .await
        .assert_code(0);
    assert_same(&files_by_name(&target.join("by-month")), &expected);
    let album = std::fs::read_to_string(target.join("albums/Trip.txt")).expect("the album");
    for name in names {
        assert!(album.contains(name), "{name}: {album}");
    }

    // The app sees what rclone uploaded with its client, and the archive goes back without a second one of anything.
    household.control.reset_ledger();
    let back = run(upload(household, &archive, &["--json"])).await;
    back.assert_code(0);
    assert_eq!(
        household.control.calls(CallKind::UploadRaw),
        0,
        "{}",
        back.stdout
    );
    assert_eq!(household.control.calls(CallKind::BatchCreate), 0);
    let items = household.control.items(DEFAULT_ACCOUNT, 100);
    assert_eq!(items.expect("the account").len(), 6);
    assert_eq!(albums_in(household, DEFAULT_ACCOUNT).await, albums);
}
