//! Manifests: whole, signed, in order, never changed.

use futures::TryStreamExt as _;
use tintype_model::{snapshot::ManifestAlbum, snapshot::ManifestItem};

use super::{Subject, bytes};
use crate::archive::{ArchiveError, ManifestEntry};

pub(super) async fn run(subject: &Subject) {
    let items = vec![
        subject.store("one.jpg", &bytes(10, 1_000)).await,
        subject
            .store("two \u{202E}gpj.exe", &bytes(11, 2_000))
            .await,
    ];
    an_empty_snapshot_is_a_snapshot(subject).await;
    items_and_albums_come_back_in_order(subject, &items).await;
    publishing_the_same_again_is_fine(subject, &items).await;
    another_manifest_under_the_same_id_is_refused(subject, &items).await;
    a_wrong_signature_does_not_read(subject, &items).await;
    items_do_not_follow_albums(subject, &items).await;
    an_unpublished_manifest_is_not_there(subject, &items).await;
    snapshots_are_listed_oldest_first(subject).await;
}

async fn read(subject: &Subject, number: u8) -> Result<Vec<ManifestEntry>, ArchiveError> {
    let id = subject.head(number, None).id;
    subject.archive.read_manifest(id).await?.try_collect().await
}

async fn an_empty_snapshot_is_a_snapshot(subject: &Subject) {
    let head = subject.head(1, None);
    let hash = subject.publish(&head, &[]).await;
    let entries = read(subject, 1).await.unwrap();
    assert_eq!(
        entries,
        [
            ManifestEntry::Head(head),
            ManifestEntry::End { hash, items: 0 }
        ]
    );
}

async fn items_and_albums_come_back_in_order(subject: &Subject, items: &[ManifestItem]) {
    let first = subject.publish(&subject.head(1, None), &[]).await;
    let head = subject.head(3, Some(first));
    let album = |number: u8| ManifestAlbum {
        id: format!("album-{number}").parse().unwrap(),
        title: format!("Summer \"{number}\" /../"),
        items: items.iter().rev().map(|item| item.id.clone()).collect(),
    };
    let mut writer = subject.archive.begin_manifest(&head).await.unwrap();
    for item in items {
        writer.item(item).await.unwrap();
    }
    for number in 1..=2 {
        writer.album(&album(number)).await.unwrap();
    }
    let hash = writer.seal().await.unwrap();
    assert_eq!(
        writer.seal().await.unwrap(),
        hash,
        "sealing twice is one seal"
    );
    writer
        .publish((subject.sign)(hash.as_bytes()))
        .await
        .unwrap();

    let mut wanted = vec![ManifestEntry::Head(head)];
    wanted.extend(items.iter().cloned().map(Box::new).map(ManifestEntry::Item));
    wanted.extend([
        ManifestEntry::Album(album(1)),
        ManifestEntry::Album(album(2)),
    ]);
    wanted.push(ManifestEntry::End {
        hash,
        items: items.len() as u64,
    });
    assert_eq!(read(subject, 3).await.unwrap(), wanted);
}

async fn publishing_the_same_again_is_fine(subject: &Subject, items: &[ManifestItem]) {
    let head = subject.head(4, None);
    let first = subject.publish(&head, items).await;
    assert_eq!(subject.publish(&head, items).await, first);
    assert_eq!(read(subject, 4).await.unwrap().len(), items.len() + 2);
}

async fn another_manifest_under_the_same_id_is_refused(subject: &Subject, items: &[ManifestItem]) {
    let head = subject.head(4, None);
    let mut writer = subject.archive.begin_manifest(&head).await.unwrap();
    let hash = writer.seal().await.unwrap();
    let error = writer
        .publish((subject.sign)(hash.as_bytes()))
        .await
        .unwrap_err();
    assert!(matches!(error, ArchiveError::Foreign(_)), "{error}");
    assert_eq!(read(subject, 4).await.unwrap().len(), items.len() + 2);
}

async fn a_wrong_signature_does_not_read(subject: &Subject, items: &[ManifestItem]) {
    let mut writer = subject
        .archive
        .begin_manifest(&subject.head(5, None))
        .await
        .unwrap();
    writer.item(&items[0]).await.unwrap();
    writer.seal().await.unwrap();
    writer
        .publish((subject.sign)(b"something else"))
        .await
        .unwrap();
    let error = read(subject, 5).await.unwrap_err();
    assert!(matches!(error, ArchiveError::Corrupt(_)), "{error}");
}

async fn items_do_not_follow_albums(subject: &Subject, items: &[ManifestItem]) {
    let mut writer = subject
        .archive
        .begin_manifest(&subject.head(6, None))
        .await
        .unwrap();
    let id = "album".parse().unwrap();
    writer
        .album(&ManifestAlbum {
            id,
            title: String::new(),
            items: vec![],
        })
        .await
        .unwrap();
    assert!(writer.item(&items[0]).await.is_err());
}

async fn an_unpublished_manifest_is_not_there(subject: &Subject, items: &[ManifestItem]) {
    let mut writer = subject
        .archive
        .begin_manifest(&subject.head(7, None))
        .await
        .unwrap();
    writer.item(&items[0]).await.unwrap();
    writer.seal().await.unwrap();
    drop(writer);
    let error = read(subject, 7).await.unwrap_err();
    assert!(matches!(error, ArchiveError::Missing(_)), "{error}");
}

async fn snapshots_are_listed_oldest_first(subject: &Subject) {
    let wanted: Vec<_> = [1, 3, 4, 5]
        .map(|number| subject.head(number, None).id)
        .into();
    assert_eq!(subject.archive.snapshots().await.unwrap(), wanted);
}
