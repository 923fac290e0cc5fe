//! Real rclone, unmodified, through the intercepting proxy: the emulator is held to what a client in the wild expects.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use tempfile::TempDir;
use tintype_emulator::{
    CallKind, DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, EmulatorConfig, Generated,
    InterceptConfig, Library,
};

use crate::helper::{Google, photo};

struct Rclone {
    google: Google,
    folder: TempDir,
    binary: PathBuf,
}

impl Rclone {
    async fn start(library: Library, options: &str) -> Self {
        let binary = std::env::var_os("TINTYPE_RCLONE").map(PathBuf::from).expect(
            "TINTYPE_RCLONE must name the rclone 1.75.2 binary; run the tests with `cargo xtask test`",
        );
        let folder = tempfile::tempdir().expect("a folder");
        let intercept = InterceptConfig {
            ca_file: Some(folder.path().join("ca.pem")),
            ..InterceptConfig::default()
        };
        let config = EmulatorConfig {
            intercept: Some(intercept),
            ..EmulatorConfig::with_library(library)
        };
        let google = Google::start(config).await;
        let text = format!(
            "[gp]\ntype = google photos\nclient_id = {DEFAULT_CLIENT_ID}\nclient_secret = {DEFAULT_CLIENT_SECRET}\n\
             token = {}\n{options}\n",
            google.running.token_blob()
        );
        std::fs::write(folder.path().join("rclone.conf"), text).expect("a configuration");
        Self {
            google,
            folder,
            binary,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        let (output, log) = self.attempt(arguments).await;
        assert!(output.status.success(), "{arguments:?}: {log}");
        output
    }

    async fn attempt(&self, arguments: &[&str]) -> (Output, String) {
        let mut command = tokio::process::Command::new(&self.binary);
        command
            .env_clear()
            .env("HOME", self.folder.path())
            .env(
                "HTTPS_PROXY",
                self.google.running.proxy_url().expect("a proxy"),
            )
            .env("SSL_CERT_FILE", self.path("ca.pem"))
            .arg("--config")
            .arg(self.path("rclone.conf"))
            .args([
                "--low-level-retries",
                "2",
                "--retries",
                "1",
                "-vv",
                "--log-file",
            ])
            .arg(self.path("log"))
            .args(arguments)
            .kill_on_drop(true);
        let output = tokio::time::timeout(Duration::from_secs(60), command.output());
        let output = output
            .await
            .expect("rclone ends in time")
            .expect("rclone runs");
        let log = std::fs::read_to_string(self.path("log")).unwrap_or_default();
        (output, log)
    }

    async fn lines(&self, arguments: &[&str]) -> Vec<String> {
        let output = self.run(arguments).await;
        let text = String::from_utf8(output.stdout).expect("text");
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }
}

fn put_photos(folder: &Path, count: u8) {
    std::fs::create_dir_all(folder).expect("a folder");
    for number in 0..count {
        std::fs::write(folder.join(format!("p{number}.jpg")), photo(number)).expect("a photo");
    }
}

#[tokio::test]
async fn rclone_lists_all_media_and_albums() {
    let rclone = Rclone::start(Library::Sample, "").await;
    let expected = [
        "chart.png",
        "clip.mp4",
        "garden.heic",
        "lake.jpg",
        "motion.jpg",
        "tower.jpg",
    ];
    assert_eq!(rclone.lines(&["lsf", "gp:media/all"]).await, expected);
    assert_eq!(rclone.lines(&["lsf", "gp:album"]).await, ["Summer/"]);
    assert_eq!(
        rclone.lines(&["lsf", "gp:album/Summer"]).await,
        ["garden.heic", "lake.jpg"]
    );
    assert_eq!(
        rclone.lines(&["lsf", "gp:media/by-year/2023"]).await,
        ["lake.jpg"]
    );
}

#[tokio::test]
async fn rclone_pages_through_a_larger_library_and_copies_it_byte_for_byte() {
    let options = Generated {
        repeat_name_every: 0,
        video_every: 10,
        ..Generated::photos(250, 30_000)
    };
    let rclone = Rclone::start(Library::Generated(options), "").await;
    assert_eq!(rclone.lines(&["lsf", "gp:media/all"]).await.len(), 250);
    let target = rclone.path("copy");
    rclone
        .run(&[
            "copy",
            "gp:media/all",
            target.to_str().expect("a path"),
            "--transfers",
            "8",
        ])
        .await;
    let control = rclone.google.control();
    for item in control.items(DEFAULT_ACCOUNT, 1000).expect("items") {
        let suffix = if item.mime == "video/mp4" { "dv" } else { "d" };
        let served = control
            .served_bytes(&item.id, suffix)
            .expect("an item")
            .expect("bytes");
        let copied = std::fs::read(target.join(&item.file_name)).expect("a copy");
        assert!(copied == served, "{} differs", item.file_name);
        assert_eq!(control.downloads_of(&item.id), 1);
    }
}

async fn uploads_in_mode(mode: &str) {
    let options = format!("batch_mode = {mode}\nbatch_size = 4\nbatch_timeout = 200ms");
    let rclone = Rclone::start(Library::Empty, &options).await;
    put_photos(&rclone.path("source"), 10);
    let source = rclone.path("source");
    rclone
        .run(&["copy", source.to_str().expect("a path"), "gp:album/Trip"])
        .await;
    let control = rclone.google.control();
    let items = control.items(DEFAULT_ACCOUNT, 100).expect("items");
    assert_eq!(items.len(), 10, "in mode {mode}");
    for item in items {
        let kept = control
            .served_bytes(&item.id, "original")
            .expect("an item")
            .expect("bytes");
        let source = std::fs::read(source.join(&item.file_name)).expect("a source");
        assert!(kept == source, "{} differs", item.file_name);
    }
    let batches = control.calls(CallKind::BatchCreate);
    assert!(
        if mode == "off" {
            batches == 10
        } else {
            (3..10).contains(&batches)
        },
        "{batches} batches"
    );
    assert_eq!(control.calls(CallKind::UploadRaw), 10);
    let expected: Vec<String> = (0..10).map(|number| format!("p{number}.jpg")).collect();
    assert_eq!(rclone.lines(&["lsf", "gp:album/Trip"]).await, expected);
}

#[tokio::test]
async fn rclone_uploads_an_album_in_sync_batches() {
    uploads_in_mode("sync").await;
}

/// rclone 1.75.2 reads the new item's metadata in async mode before there is any, and crashes by itself
/// (`Object.setMetaData`, nil pointer). The test holds that fact, so that a later rclone is noticed.
#[tokio::test]
async fn rclone_crashes_by_itself_in_async_batches_after_its_bytes_were_taken() {
    let options = "batch_mode = async\nbatch_size = 4\nbatch_timeout = 200ms";
    let rclone = Rclone::start(Library::Empty, options).await;
    put_photos(&rclone.path("source"), 10);
    let source = rclone.path("source");
    let (output, log) = rclone
        .attempt(&["copy", source.to_str().expect("a path"), "gp:album/Trip"])
        .await;
    assert!(!output.status.success());
    let told = format!("{log}{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("nil pointer dereference") && told.contains("setMetaData"));
    let uploads = &rclone.google.control().summary().statuses[&CallKind::UploadRaw];
    assert!(
        uploads[&200] >= 1,
        "the emulator took the bytes: {uploads:?}"
    );
}

#[tokio::test]
async fn rclone_uploads_an_album_one_by_one() {
    uploads_in_mode("off").await;
}

#[tokio::test]
async fn rclone_reads_the_account_and_refreshes_a_dead_token() {
    let rclone = Rclone::start(Library::Sample, "").await;
    rclone.google.control().expire_access_tokens();
    let config = std::fs::read_to_string(rclone.path("rclone.conf")).expect("a configuration");
    let (head, tail) = config.split_once("\"expiry\":\"").expect("an expiry");
    let stale = format!("{head}\"expiry\":\"2001{}", &tail[4..]);
    std::fs::write(rclone.path("rclone.conf"), stale).expect("a configuration");
    let who = rclone.run(&["config", "userinfo", "gp:"]).await;
    assert!(String::from_utf8_lossy(&who.stdout).contains("name: demo"));
    assert!(rclone.google.control().calls(CallKind::Token) >= 1);
}

#[tokio::test]
async fn the_proxy_reaches_nothing_but_google() {
    let rclone = Rclone::start(Library::Empty, "").await;
    let proxy = rclone.google.running.proxy_url().expect("a proxy");
    let address = proxy.trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(address)
        .await
        .expect("the proxy");
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    stream
        .write_all(b"CONNECT example.com:443 HTTP/1.1\r\n\r\n")
        .await
        .expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 403"));
}
