//! Restoring to a folder.

use std::{fs, os::unix::fs::symlink};

use tintype_blob::{RestoreOptions, RestoreReport, restore};
use tintype_model::snapshot::ManifestAlbum;
use tintype_ports::{ArchiveError, contract::archive::bytes};

use crate::support::{Place, files};

async fn fill(place: &Place) {
    let subject = place.subject();
    subject.archive.open_or_create().await.unwrap();
    let evil = [
        "../../evil.jpg",
        "CON",
        "caf\u{e9}.jpg",
        "cafe\u{301}.jpg",
        "CAF\u{c9}.JPG",
        "a\0b/c",
    ];
    let mut items = Vec::new();
    for (seed, name) in (1..).zip(evil) {
        let mut item = subject
            .store(
                &format!("{seed}.jpg"),
                &bytes(seed, 1_000 * usize::from(seed)),
            )
            .await;
        name.clone_into(&mut item.metadata.filename);
        items.push(item);
    }
    let album = ManifestAlbum {
        id: "album".parse().unwrap(),
        title: "../Summer".to_owned(),
        items: vec![
            items[1].id.clone(),
            items[0].id.clone(),
            "not-there".parse().unwrap(),
        ],
    };
    let mut writer = subject
        .archive
        .begin_manifest(&subject.head(1, None))
        .await
        .unwrap();
    for item in &items {
        writer.item(item).await.unwrap();
    }
    writer.album(&album).await.unwrap();
    let hash = writer.seal().await.unwrap();
    writer
        .publish((subject.sign)(hash.as_bytes()))
        .await
        .unwrap();
}

async fn restored(place: &Place, overwrite: bool) -> RestoreReport {
    let options = RestoreOptions {
        overwrite,
        ..RestoreOptions::default()
    };
    let target = place.folder.path().join("target");
    restore(&place.reader().await, &target, &options, &|_| {})
        .await
        .unwrap()
}

#[tokio::test]
async fn items_come_back_under_safe_and_distinct_names() {
    for place in [
        Place::folder(),
        Place::memory().encrypted(),
        Place::folder().mirrored(),
    ] {
        fill(&place).await;
        let report = restored(&place, false).await;
        assert_eq!(
            (
                report.written,
                report.skipped,
                report.failed_count,
                report.albums
            ),
            (6, 0, 0, 1)
        );
        let target = place.folder.path().join("target");
        let found = files(&target);
        assert_eq!(found.len(), 7, "{found:?}");
        let mut contents: Vec<usize> = found
            .iter()
            .filter(|path| path.starts_with("by-month/2022/2022-01/"))
            .map(|path| fs::read(target.join(path)).unwrap().len())
            .collect();
        contents.sort_unstable();
        assert_eq!(contents, [1_000, 2_000, 3_000, 4_000, 5_000, 6_000]);
        let list = found
            .iter()
            .find(|path| path.starts_with("albums/"))
            .unwrap();
        let listed = fs::read_to_string(target.join(list)).unwrap();
        let lengths: Vec<u64> = listed
            .lines()
            .map(|path| fs::metadata(target.join(path)).unwrap().len())
            .collect();
        assert_eq!(lengths, [2_000, 1_000], "the album's own order");
        let modified = fs::metadata(target.join(listed.lines().next().unwrap()))
            .unwrap()
            .modified()
            .unwrap();
        let seconds = modified
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs();
        assert_eq!(seconds, 19_000 * 86_400);
    }
}

#[tokio::test]
async fn a_second_restore_writes_only_what_is_not_there() {
    let place = Place::folder();
    fill(&place).await;
    restored(&place, false).await;
    let target = place.folder.path().join("target");
    let photos: Vec<String> = files(&target)
        .into_iter()
        .filter(|path| path.starts_with("by-month/"))
        .collect();
    fs::remove_file(target.join(&photos[0])).unwrap();
    fs::write(target.join(&photos[1]), "a person's own").unwrap();

    let report = restored(&place, false).await;
    assert_eq!((report.written, report.skipped), (1, 4));
    assert_eq!(report.failed.len(), 1);
    assert_eq!(report.failed[0].0, photos[1]);
    assert!(report.failed[0].1.contains("--overwrite"));
    assert_eq!(
        fs::read(target.join(&photos[1])).unwrap(),
        b"a person's own"
    );

    let report = restored(&place, true).await;
    assert_eq!(
        (report.written, report.skipped, report.failed_count),
        (1, 5, 0)
    );
}

#[tokio::test]
async fn damaged_bytes_never_become_visible() {
    let place = Place::folder();
    fill(&place).await;
    let object = files(place.root())
        .into_iter()
        .find(|path| path.starts_with("objects/"))
        .unwrap();
    let path = place.root().join(object);
    let mut content = fs::read(&path).unwrap();
    content[500] ^= 1;
    fs::write(&path, content).unwrap();
    let report = restored(&place, false).await;
    assert_eq!((report.written, report.failed_count), (5, 1));
    assert_eq!(files(&place.folder.path().join("target")).len(), 6);
}

#[tokio::test]
async fn a_link_in_the_target_does_not_lead_out_of_it() {
    let place = Place::folder();
    fill(&place).await;
    let (target, outside) = (
        place.folder.path().join("target"),
        place.folder.path().join("outside"),
    );
    fs::create_dir_all(target.join("by-month")).unwrap();
    fs::create_dir(&outside).unwrap();
    symlink(&outside, target.join("by-month/2022")).unwrap();
    let report = restored(&place, true).await;
    assert_eq!((report.written, report.failed_count), (0, 6));
    assert_eq!(files(&outside), [] as [&str; 0]);
}

#[tokio::test]
async fn a_manifest_that_is_damaged_restores_nothing() {
    let place = Place::folder();
    fill(&place).await;
    let manifest = files(place.root())
        .into_iter()
        .find(|path| path.ends_with(".zst"))
        .unwrap();
    let path = place.root().join(manifest);
    let mut content = fs::read(&path).unwrap();
    let last = content.len() - 50;
    content[last] ^= 1;
    fs::write(&path, content).unwrap();
    let target = place.folder.path().join("target");
    let error = restore(
        &place.reader().await,
        &target,
        &RestoreOptions::default(),
        &|_| {},
    )
    .await
    .unwrap_err();
    assert!(matches!(error, ArchiveError::Corrupt(_)), "{error}");
    assert!(!target.exists());
}
