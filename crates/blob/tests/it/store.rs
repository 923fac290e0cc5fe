//! Object stores: keys, missing buckets, damaged objects, the bound of the spool.

use std::{fs, time::Duration};

use bytes::Bytes;
use futures::future;
use secrecy::SecretString;
use tintype_blob::{ArchiveReader, Root, S3Root, open_archive};
use tintype_ports::{ArchiveError, contract::archive::bytes};
use tintype_runtime::http::HttpSettings;
use tintype_testkit::s3::S3Server;

use crate::support::{Place, files, s3_root};

fn error_of(place: &Place, change: impl FnOnce(&mut S3Root)) -> ArchiveError {
    let mut settings = place.settings.clone();
    let Root::S3(s3) = &mut settings.root else {
        panic!("no bucket")
    };
    change(s3);
    open_archive(settings)
        .err()
        .unwrap_or_else(|| panic!("it opens"))
}

#[tokio::test]
async fn blank_keys_are_an_error_before_anything_is_asked() {
    let server = S3Server::start().await;
    let place = Place::bucket(&server, "");
    for blank in ["", "  "] {
        let error = error_of(&place, |s3| s3.access_key_id = blank.to_owned());
        assert_eq!(error.to_string(), "access key id: must not be empty");
        let error = error_of(&place, |s3| {
            s3.secret_access_key = SecretString::from(blank);
        });
        assert_eq!(error.to_string(), "secret access key: must not be empty");
    }
    let error = error_of(&place, |s3| {
        s3.settings.endpoint = "https://key:secret@s3.example.com".to_owned();
    });
    assert!(error.to_string().starts_with("endpoint:") && !error.to_string().contains("secret@"));
}

#[tokio::test]
async fn wrong_keys_are_denied() {
    let server = S3Server::start().await;
    let mut place = Place::bucket(&server, "");
    let mut root = s3_root(&server, "");
    root.secret_access_key = SecretString::from("another-secret");
    place.settings.root = Root::S3(root);
    let error = place.subject().archive.open_or_create().await.unwrap_err();
    assert!(
        matches!(error, ArchiveError::Denied(_) | ArchiveError::ReadOnly(_)),
        "{error}"
    );
    assert!(!error.to_string().contains("another-secret"));
}

/// Tenants that are strangers reach nothing inside, however the address is written; and nobody tries again and again.
#[tokio::test]
async fn a_bucket_inside_is_out_of_reach_where_the_operator_says_so() {
    let server = S3Server::start().await;
    let mut place = Place::bucket(&server, "");
    let endpoint = server.endpoint();
    let (_, port) = endpoint.rsplit_once(':').unwrap();
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "[::ffff:7f00:1]",
        "localhost",
    ] {
        let mut root = s3_root(&server, "");
        root.settings.endpoint = format!("https://{host}:{port}");
        root.client = HttpSettings::default().guarded(false).unwrap();
        place.settings.root = Root::S3(root);
        let error = place.subject().archive.open_or_create().await.unwrap_err();
        assert!(
            matches!(&error, ArchiveError::Settings(text) if text.contains("private network")),
            "{host}: {error}"
        );
    }
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_missing() {
    let server = S3Server::start().await;
    let mut root = s3_root(&server, "");
    root.settings.bucket = "no-such-bucket".to_owned();
    let mut place = Place::bucket(&server, "");
    place.settings.root = Root::S3(root.clone());
    let error = place.subject().archive.open_or_create().await.unwrap_err();
    assert!(matches!(error, ArchiveError::Missing(_)), "{error}");
    let error = ArchiveReader::open(&Root::S3(root), None)
        .await
        .err()
        .unwrap();
    assert!(matches!(error, ArchiveError::Missing(_)), "{error}");
}

#[tokio::test]
async fn an_object_that_was_damaged_in_the_bucket_is_replaced() {
    let server = S3Server::start().await;
    let place = Place::bucket(&server, "a");
    let subject = place.subject();
    let item = subject.store("a.jpg", &bytes(1, 9_000)).await;
    let file = server.bucket_folder().join("a").join(&item.content.path);
    fs::write(&file, "cut").unwrap();
    // The server looks at its folder again after 50 ms.
    tokio::time::sleep(Duration::from_millis(200)).await;
    subject.store("a.jpg", &bytes(1, 9_000)).await;
    assert!(fs::read(&file).unwrap() == bytes(1, 9_000));
}

#[tokio::test]
async fn large_files_pass_through_a_small_spool_without_locking_up() {
    let mut place = Place::memory();
    place.settings.spool.bytes = 1024 * 1024;
    let subject = place.subject();
    let files_at_once = (0..6).map(|seed| {
        let subject = &subject;
        async move {
            let mut draft = subject.archive.draft().await.unwrap();
            for piece in bytes(seed, 3_000_000).chunks(200_000) {
                draft.write(Bytes::copy_from_slice(piece)).await.unwrap();
                tokio::task::yield_now().await;
            }
            draft.finish(subject.placement("large.jpg")).await.unwrap()
        }
    });
    let staged = future::join_all(files_at_once).await;
    let paths: Vec<String> = staged.iter().map(|staged| staged.path.clone()).collect();
    assert!(
        subject
            .archive
            .commit(staged)
            .await
            .iter()
            .all(Result::is_ok)
    );
    for (seed, path) in (0..).zip(paths) {
        assert!(subject.read(&path).await == bytes(seed, 3_000_000));
    }
    drop(subject);
    assert_eq!(files(place.folder.path()), [] as [&str; 0]);
}

#[tokio::test]
async fn a_server_that_is_gone_is_unavailable() {
    let server = S3Server::start().await;
    let place = Place::bucket(&server, "");
    let subject = place.subject();
    subject.archive.open_or_create().await.unwrap();
    drop(server);
    let error = subject.archive.snapshots().await.unwrap_err();
    assert!(matches!(error, ArchiveError::Unavailable(_)), "{error}");
}
