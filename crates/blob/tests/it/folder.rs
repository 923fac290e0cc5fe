//! Local folders: out of sight until committed, nothing left behind, refusals typed.

use std::{fs, os::unix::fs::symlink};

use bytes::Bytes;
use tintype_blob::{Root, open_archive};
use tintype_model::plan::Layout;
use tintype_ports::{ArchiveError, archive::Placement, contract::archive::bytes};

use crate::support::{Place, archive_id, files};

#[tokio::test]
async fn nothing_is_visible_before_the_commit_and_nothing_staged_after_it() {
    let place = Place::folder();
    let subject = place.subject();
    subject.archive.open_or_create().await.unwrap();
    let group = vec![
        subject.stage("small.jpg", &bytes(1, 1_000), 500).await,
        subject
            .stage("large.jpg", &bytes(2, 3_000_000), 70_000)
            .await,
    ];
    assert!(!place.root().join("objects").exists());
    let paths: Vec<String> = group.iter().map(|staged| staged.path.clone()).collect();
    assert!(
        subject
            .archive
            .commit(group)
            .await
            .iter()
            .all(Result::is_ok)
    );
    drop(subject);
    let mut wanted = paths;
    wanted.push("tintype.json".to_owned());
    wanted.sort();
    assert_eq!(files(place.root()), wanted);
}

#[tokio::test]
async fn what_is_dropped_before_its_commit_is_gone() {
    let place = Place::folder();
    let subject = place.subject();
    let staged = subject
        .stage("large.jpg", &bytes(2, 3_000_000), 70_000)
        .await;
    assert_eq!(files(place.root()).len(), 2, "the draft and its lock");
    drop(staged);
    drop(subject);
    assert_eq!(files(place.root()), [] as [&str; 0]);
}

#[tokio::test]
async fn a_sweep_removes_what_a_crash_left_and_spares_the_living() {
    let place = Place::folder();
    let living = place.subject();
    let staged = living
        .stage("large.jpg", &bytes(2, 3_000_000), 70_000)
        .await;
    let crashed = place.root().join(".staging/s-crashed");
    fs::create_dir(&crashed).unwrap();
    fs::write(crashed.join("part"), "half a photo").unwrap();
    fs::write(place.root().join(".staging/s-crashed.lock"), "").unwrap();
    let other = place.subject();
    assert_eq!(other.archive.sweep().await.unwrap(), 1);
    assert_eq!(other.archive.sweep().await.unwrap(), 0);
    assert!(living.archive.commit(vec![staged]).await[0].is_ok());
}

#[tokio::test]
async fn a_damaged_object_is_replaced_when_its_bytes_come_again() {
    for place in [Place::folder(), Place::folder().encrypted()] {
        let subject = place.subject();
        let content = bytes(3, 200_000);
        let item = subject.store("a.jpg", &content).await;
        fs::write(place.root().join(&item.content.path), "cut").unwrap();
        subject.store("a.jpg", &content).await;
        assert!(subject.read(&item.content.path).await == content);
    }
}

#[tokio::test]
async fn a_mirror_never_replaces_what_it_did_not_write() {
    let place = Place::folder().mirrored();
    let subject = place.subject();
    let folder = place.root().join("by-month/2024/2024-06");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("a.jpg"), "a person's own").unwrap();
    let staged = subject.stage("a.jpg", b"from the cloud", 9).await;
    let error = subject
        .archive
        .commit(vec![staged])
        .await
        .remove(0)
        .unwrap_err();
    assert!(matches!(error, ArchiveError::Foreign(_)), "{error}");
    assert_eq!(fs::read(folder.join("a.jpg")).unwrap(), b"a person's own");

    let item = subject.store("b.jpg", b"first").await;
    subject.store("b.jpg", b"edited").await;
    assert_eq!(subject.read(&item.content.path).await, b"edited");
}

#[tokio::test]
async fn a_mirror_takes_no_path_outside_its_tree() {
    let place = Place::folder().mirrored();
    let subject = place.subject();
    for path in [
        "../x",
        "by-month/../../x",
        "/etc/x",
        "tintype.json",
        "by-month/",
        "by-month/a//b",
        "by-month/./b",
    ] {
        let draft = subject.archive.draft().await.unwrap();
        let placement = Placement::At {
            path: path.to_owned(),
            sidecar: "{\"a\":1}".to_owned(),
        };
        let error = draft.finish(placement).await.unwrap_err();
        assert!(
            matches!(error, ArchiveError::Settings(_)),
            "{path}: {error}"
        );
    }
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_missing_and_not_made() {
    let mut place = Place::folder();
    let path = place.folder.path().join("not-mounted");
    place.settings.root = Root::LocalFolder { path: path.clone() };
    let Err(error) = open_archive(place.settings) else {
        panic!("it opens")
    };
    assert!(matches!(error, ArchiveError::Missing(_)), "{error}");
    assert!(!path.exists());
}

#[tokio::test]
async fn a_folder_that_goes_in_mid_run_is_missing_and_the_run_resumes_when_it_is_back() {
    let place = Place::folder();
    let subject = place.subject();
    let away = place.folder.path().join("away");
    let staged = subject.stage("early.jpg", b"early", 9).await;
    fs::rename(place.root(), &away).unwrap();
    let mut draft = subject.archive.draft().await.unwrap();
    let error = draft
        .write(Bytes::from(bytes(1, 600_000)))
        .await
        .unwrap_err();
    assert!(matches!(error, ArchiveError::Missing(_)), "{error}");
    let mut draft = subject.archive.draft().await.unwrap();
    draft.write(Bytes::from_static(b"small")).await.unwrap();
    let error = draft
        .finish(subject.placement("small.jpg"))
        .await
        .unwrap_err();
    assert!(matches!(error, ArchiveError::Missing(_)), "{error}");
    let error = subject
        .archive
        .commit(vec![staged])
        .await
        .remove(0)
        .unwrap_err();
    assert!(matches!(error, ArchiveError::Missing(_)), "{error}");
    assert!(!place.root().exists(), "the root is never made");
    fs::rename(&away, place.root()).unwrap();
    subject.store("small.jpg", b"small").await;
}

#[tokio::test]
async fn another_archive_or_file_in_the_place_is_foreign() {
    let place = Place::folder();
    place.subject().archive.open_or_create().await.unwrap();
    let mut other = place.settings.clone();
    other.archive = archive_id(2);
    let mut mirrored = place.settings.clone();
    mirrored.layout = Layout::Mirror;
    let mut other_key = place.settings.clone();
    other_key.signing_key = [1; 32];
    for settings in [other, mirrored, other_key] {
        let error = open_archive(settings)
            .unwrap()
            .open_or_create()
            .await
            .unwrap_err();
        assert!(matches!(error, ArchiveError::Foreign(_)), "{error}");
    }
    fs::write(place.root().join("tintype.json"), "{}").unwrap();
    let error = place.subject().archive.open_or_create().await.unwrap_err();
    assert!(matches!(error, ArchiveError::Foreign(_)), "{error}");
}

#[tokio::test]
async fn settings_that_cannot_be_used_name_the_field() {
    let place = Place::folder();
    let with = |change: &dyn Fn(&mut tintype_blob::ArchiveSettings)| {
        let mut settings = place.settings.clone();
        change(&mut settings);
        open_archive(settings)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    let recipient = Place::folder().encrypted().settings.recipients;
    assert!(with(&|it| it.recipients = vec!["age1nonsense".to_owned()]).starts_with("recipients:"));
    assert!(
        with(&|it| it.local_folders = false).starts_with("path: local folders are not allowed")
    );
    assert!(
        with(&|it| it.root = Root::LocalFolder {
            path: "photos".into()
        })
        .starts_with("path:")
    );
    let mirrored_and_encrypted = with(&|it| {
        it.layout = Layout::Mirror;
        it.recipients.clone_from(&recipient);
    });
    assert!(mirrored_and_encrypted.starts_with("recipients: the mirror layout"));
}

#[tokio::test]
async fn a_link_in_place_of_an_object_is_replaced_not_followed() {
    let place = Place::folder();
    let subject = place.subject();
    let item = subject.store("a.jpg", b"content").await;
    let (object, secret) = (
        place.root().join(&item.content.path),
        place.folder.path().join("secret"),
    );
    fs::write(&secret, "content").unwrap();
    fs::remove_file(&object).unwrap();
    symlink(&secret, &object).unwrap();
    subject.store("a.jpg", b"content").await;
    assert!(fs::symlink_metadata(&object).unwrap().is_file());
}
