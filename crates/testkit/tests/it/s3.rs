//! The S3 server, driven by rclone as a client.

use std::fs;
use std::process::Command;
use std::time::Duration;

use tintype_testkit::process::{Spawned, Stream};
use tintype_testkit::provided;
use tintype_testkit::s3::S3Server;

/// Runs an rclone command with the server as the remote `photos:`; returns success and stdout.
async fn rclone(server: &S3Server, secret: &str, args: &[&str]) -> (bool, String) {
    let mut command = Command::new(provided::rclone());
    command
        .args([
            "--config",
            "/dev/null",
            "--retries",
            "1",
            "--low-level-retries",
            "1",
        ])
        .args(args)
        .env("RCLONE_CONFIG_PHOTOS_TYPE", "s3")
        .env("RCLONE_CONFIG_PHOTOS_PROVIDER", "Rclone")
        .env("RCLONE_CONFIG_PHOTOS_ENDPOINT", server.endpoint())
        .env("RCLONE_CONFIG_PHOTOS_ACCESS_KEY_ID", S3Server::ACCESS_KEY)
        .env("RCLONE_CONFIG_PHOTOS_SECRET_ACCESS_KEY", secret);
    let mut client = Spawned::start(command);
    let status = client.wait(Duration::from_secs(60)).await;
    (status.success(), client.text(Stream::Stdout))
}

#[tokio::test]
async fn an_object_comes_back_as_it_was_put_and_lies_in_the_folder() {
    let server = S3Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let (sent, received) = (folder.path().join("sent"), folder.path().join("received"));
    let bytes: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    fs::write(&sent, &bytes).unwrap();
    let (sent, got) = (sent.to_str().unwrap(), received.to_str().unwrap());

    let put = rclone(
        &server,
        S3Server::SECRET_KEY,
        &["copyto", sent, "photos:photos/a/b"],
    )
    .await;
    let get = rclone(
        &server,
        S3Server::SECRET_KEY,
        &["copyto", "photos:photos/a/b", got],
    )
    .await;

    assert!(put.0 && get.0);
    assert_eq!(fs::read(received).unwrap(), bytes);
    assert_eq!(fs::read(server.bucket_folder().join("a/b")).unwrap(), bytes);
}

#[tokio::test]
async fn a_file_damaged_in_the_folder_is_served_damaged() {
    let server = S3Server::start().await;
    let file = server.bucket_folder().join("photo.txt");
    fs::write(&file, "as it was").unwrap();
    let read = ["cat", "photos:photos/photo.txt"];
    assert_eq!(
        rclone(&server, S3Server::SECRET_KEY, &read).await,
        (true, "as it was\n".into())
    );

    fs::write(&file, "as it is!").unwrap();

    assert_eq!(
        rclone(&server, S3Server::SECRET_KEY, &read).await,
        (true, "as it is!\n".into())
    );
}

#[tokio::test]
async fn a_wrong_secret_is_refused() {
    let server = S3Server::start().await;
    let (listed, _) = rclone(&server, "another-secret", &["lsf", "photos:photos"]).await;
    assert!(!listed);
}
