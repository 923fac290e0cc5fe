//! Files of every kind of place: the contract, archives and mirrors of ours at the root, and what only stores do.

use std::{fs, sync::Arc};

use futures::TryStreamExt as _;
use secrecy::SecretString;
use tintype_blob::{MemoryRoot, Root, open_files};
use tintype_ports::{
    ArchiveError, Files,
    contract::{
        archive::bytes,
        files::{Owner, Subject, run},
    },
    files::Found,
};
use tintype_testkit::s3::S3Server;

use crate::{
    owners::{BucketOwner, FolderOwner, MemoryOwner},
    support::{Place, s3_root},
};

/// What a walk tells: paths, and those of what is unreadable with a question mark before them.
pub(crate) async fn told(files: &dyn Files) -> Vec<String> {
    let found: Vec<Found> = files.walk().await.unwrap().try_collect().await.unwrap();
    let told = found.into_iter().map(|found| match found {
        Found::File(file) => file.path,
        Found::Unreadable { path, .. } => format!("?{path}"),
    });
    let mut told: Vec<String> = told.collect();
    told.sort();
    told
}

async fn refusal(root: Root) -> ArchiveError {
    let files = open_files(root, true).unwrap();
    let error = files.walk().await.err();
    error.unwrap_or_else(|| panic!("it is walked through"))
}

#[tokio::test]
async fn a_local_folder_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| Root::LocalFolder {
        path: folder.path().join(name),
    };
    fs::create_dir(folder.path().join("photos")).unwrap();
    run(Subject {
        files: open_files(at("photos"), true).unwrap(),
        owner: Arc::new(FolderOwner::new(&folder.path().join("photos"))),
        missing: Some(open_files(at("not-mounted"), true).unwrap()),
    })
    .await;
    assert!(!folder.path().join("not-mounted").exists());
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    let memory = MemoryRoot::new().unwrap();
    run(Subject {
        files: open_files(Root::Memory(memory.clone()), true).unwrap(),
        owner: Arc::new(MemoryOwner(memory)),
        missing: None,
    })
    .await;
}

#[tokio::test]
async fn a_bucket_and_a_prefix_in_it_keep_the_contract() {
    let server = S3Server::start().await;
    for prefix in ["", "photos/of mine"] {
        let root = s3_root(&server, prefix);
        let mut missing = root.clone();
        missing.settings.bucket = "no-such-bucket".to_owned();
        run(Subject {
            owner: Arc::new(BucketOwner::new(&root)),
            files: open_files(Root::S3(root), true).unwrap(),
            missing: Some(open_files(Root::S3(missing), true).unwrap()),
        })
        .await;
    }
}

/// Its objects have no names that people know, and may be encrypted.
#[tokio::test]
async fn an_archive_is_refused_with_the_way_out() {
    let server = S3Server::start().await;
    for place in [
        Place::folder(),
        Place::folder().encrypted(),
        Place::memory(),
        Place::bucket(&server, "archive"),
    ] {
        place.subject().archive.open_or_create().await.unwrap();
        let error = refusal(place.settings.root.clone()).await;
        assert!(
            matches!(&error, ArchiveError::Foreign(text) if text.contains("choose a snapshot")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_mirror_has_its_photos_to_give_and_nothing_of_its_own() {
    let server = S3Server::start().await;
    for place in [
        Place::folder().mirrored(),
        Place::memory().mirrored(),
        Place::bucket(&server, "mirror").mirrored(),
    ] {
        let subject = place.subject();
        subject.archive.open_or_create().await.unwrap();
        let item = subject.store("lake.jpg", &bytes(1, 3_000)).await;
        subject.publish(&subject.head(1, None), &[item]).await;
        // On its way, and out of sight.
        let staged = subject.stage("sea.jpg", &bytes(2, 300_000), 70_000).await;
        let files = open_files(place.settings.root.clone(), true).unwrap();
        let mut wanted = vec!["by-month/2024/2024-06/lake.jpg".to_owned()];
        if !matches!(place.settings.root, Root::LocalFolder { .. }) {
            // Object stores have it as soon as it is staged.
            wanted.push("by-month/2024/2024-06/sea.jpg".to_owned());
        }
        assert_eq!(told(&*files).await, wanted);
        drop(staged);
    }
}

#[tokio::test]
async fn a_file_or_folder_that_is_only_called_like_a_description_is_no_archive() {
    let memory = MemoryRoot::new().unwrap();
    let owner = MemoryOwner(memory.clone());
    let files = open_files(Root::Memory(memory), true).unwrap();
    owner.put("a.jpg", b"bytes").await;
    for text in ["", "{}", "{\"format\":\"web-app\",\"version\":1}"] {
        owner.put("tintype.json", text.as_bytes()).await;
        assert_eq!(told(&*files).await, ["a.jpg"], "{text:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("tintype.json")).unwrap();
    fs::write(folder.path().join("tintype.json/a.jpg"), "bytes").unwrap();
    let path = folder.path().to_owned();
    let files = open_files(Root::LocalFolder { path }, true).unwrap();
    assert_eq!(told(&*files).await, ["tintype.json/a.jpg"]);
}

/// Nobody can tell whether it was a mirror.
#[tokio::test]
async fn a_place_whose_description_is_damaged_or_newer_is_refused() {
    let place = Place::folder().mirrored();
    place.subject().archive.open_or_create().await.unwrap();
    let description = place.root().join("tintype.json");
    let text = fs::read_to_string(&description).unwrap();
    fs::write(&description, text.replace("mirror", "archive")).unwrap();
    let error = refusal(place.settings.root.clone()).await;
    assert!(matches!(error, ArchiveError::Corrupt(_)), "{error}");
    fs::write(
        &description,
        text.replace("\"version\": 1", "\"version\": 2"),
    )
    .unwrap();
    let error = refusal(place.settings.root.clone()).await;
    assert!(
        matches!(&error, ArchiveError::Settings(text) if text.contains("use a newer program")),
        "{error}"
    );
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_refused_before_anything_is_touched() {
    let server = S3Server::start().await;
    let mut blank = s3_root(&server, "");
    blank.access_key_id = " ".to_owned();
    let relative = Root::LocalFolder {
        path: "photos".into(),
    };
    let forbidden = Root::LocalFolder {
        path: "/no/such/folder".into(),
    };
    for (root, local_folders, reason) in [
        (Root::S3(blank), true, "access key id:"),
        (relative, true, "path: must be absolute"),
        (forbidden, false, "path: local folders are not allowed"),
    ] {
        let error = open_files(root, local_folders).err().unwrap();
        assert!(error.to_string().starts_with(reason), "{error}");
    }
}

#[tokio::test]
async fn wrong_keys_end_the_walk_and_are_not_shown() {
    let server = S3Server::start().await;
    let mut root = s3_root(&server, "");
    root.secret_access_key = SecretString::from("another-secret");
    let error = refusal(Root::S3(root)).await;
    assert!(
        matches!(error, ArchiveError::Denied(_) | ArchiveError::ReadOnly(_)),
        "{error}"
    );
    assert!(!error.to_string().contains("another-secret"));
}

/// Asked for such a name, the library below would read another object.
#[tokio::test]
async fn names_with_white_space_around_them_are_told_not_taken_for_others() {
    let server = S3Server::start().await;
    let bucket = server.bucket_folder();
    fs::create_dir_all(bucket.join(" album")).unwrap();
    for path in ["a.jpg", "a.jpg ", " a.jpg", " album/b.jpg"] {
        fs::write(bucket.join(path), path).unwrap();
    }
    let files = open_files(Root::S3(s3_root(&server, "")), true).unwrap();
    assert_eq!(
        told(&*files).await,
        ["? a.jpg", "? album", "?a.jpg ", "a.jpg"]
    );
    for path in ["a.jpg ", " a.jpg", " album/b.jpg"] {
        let error = files.read(path, 0).await.err();
        assert!(
            matches!(error, Some(ArchiveError::Settings(_))),
            "{path:?}: {error:?}"
        );
    }
}
