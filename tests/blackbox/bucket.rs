//! A backup to a real S3 server: back up, verify, damage, restore.

use secrecy::ExposeSecret;
use tintype_emulator::{Generated, Library};
use tintype_testkit::s3::S3Server;

use crate::household::{Household, run, text, tintype};

#[tokio::test]
async fn an_encrypted_archive_in_a_bucket_is_verified_and_restored() {
    let server = S3Server::start().await;
    let household = Household::new(Library::Generated(Generated::photos(30, 40_000))).await;
    let (bucket, region) = (S3Server::BUCKET, S3Server::REGION);
    let url = format!(
        "s3://{bucket}/photos?endpoint={}&region={region}",
        server.endpoint()
    );
    let keys = [
        ("TINTYPE_S3_ACCESS_KEY_ID", S3Server::ACCESS_KEY),
        ("TINTYPE_S3_SECRET_ACCESS_KEY", S3Server::SECRET_KEY),
    ];
    let (identity, recipient) = tintype_blob::new_identity();
    let identity_file = household.path("identity.txt");
    std::fs::write(&identity_file, identity.expose_secret()).expect("written");

    let mut backup = household.backup_to(&url, &["--recipient", &recipient]);
    backup.envs(keys);
    let ended = run(backup).await;
    ended.assert_code(0);
    assert_eq!(ended.json()["progress"]["stored"], 30);

    let mut locked = tintype(&["verify", &url]);
    locked.envs(keys);
    let ended = run(locked).await;
    assert_ne!(ended.code(), Some(0));
    assert!(ended.stderr.contains("--identity"), "{}", ended.stderr);

    let mut verify = tintype(&["verify", &url, "--identity", text(&identity_file)]);
    verify.envs(keys);
    run(verify).await.assert_code(0);

    let target = household.path("restored");
    let mut restore = tintype(&[
        "restore",
        &url,
        "--to",
        text(&target),
        "--identity",
        text(&identity_file),
    ]);
    restore.envs(keys);
    run(restore).await.assert_code(0);
    assert!(target.exists());
}
