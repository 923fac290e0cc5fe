//! Objects: what goes in comes out, once.

use bytes::Bytes;
use tintype_model::{BlobHash, plan::Layout};

use super::{Subject, bytes};
use crate::archive::ArchiveError;

pub(super) async fn run(subject: &Subject) {
    bytes_of_any_length_come_back(subject).await;
    a_group_is_stored_in_order(subject).await;
    an_equal_object_is_fine(subject).await;
    a_restart_forgets(subject).await;
    a_dropped_draft_leaves_nothing(subject).await;
    a_placement_of_the_other_layout_is_refused(subject).await;
    an_object_that_is_not_there_is_missing(subject).await;
}

async fn bytes_of_any_length_come_back(subject: &Subject) {
    let lengths = [0, 1, 65_535, 65_536, 65_537, 524_288, 1_200_000, 9_500_000];
    for (seed, length) in (0_u8..).zip(lengths) {
        let content = bytes(seed, length);
        let stored = subject
            .store(&format!("length-{length}.jpg"), &content)
            .await
            .content;
        assert_eq!(
            (stored.blob, stored.size),
            (BlobHash::of(&content), length as u64)
        );
        assert!(
            subject.read(&stored.path).await == content,
            "{length} bytes come back"
        );
    }
}

async fn a_group_is_stored_in_order(subject: &Subject) {
    let mut group = Vec::new();
    for seed in 50..120 {
        group.push(
            subject
                .stage(&format!("group-{seed}.jpg"), &bytes(seed, 3_000), 1_000)
                .await,
        );
    }
    let paths: Vec<String> = group.iter().map(|staged| staged.path.clone()).collect();
    let results = subject.archive.commit(group).await;
    assert_eq!(results.len(), paths.len());
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    for (seed, path) in (50..).zip(paths) {
        assert!(subject.read(&path).await == bytes(seed, 3_000), "{path}");
    }
}

async fn an_equal_object_is_fine(subject: &Subject) {
    let content = bytes(200, 4_000);
    let first = subject.store("equal.jpg", &content).await;
    let group = vec![
        subject.stage("equal.jpg", &content, 900).await,
        subject.stage("equal.jpg", &content, 4_000).await,
    ];
    let results = subject.archive.commit(group).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert!(subject.read(&first.content.path).await == content);
}

async fn a_restart_forgets(subject: &Subject) {
    for wrong_start in [10, 2_000_000] {
        let mut draft = subject.archive.draft().await.unwrap();
        draft
            .write(Bytes::from(bytes(1, wrong_start)))
            .await
            .unwrap();
        draft.restart().await.unwrap();
        draft
            .write(Bytes::from_static(b"the right bytes"))
            .await
            .unwrap();
        let staged = draft
            .finish(subject.placement("restarted.jpg"))
            .await
            .unwrap();
        assert_eq!(staged.blob, BlobHash::of(b"the right bytes"));
        let path = staged.path.clone();
        assert!(
            subject
                .archive
                .commit(vec![staged])
                .await
                .iter()
                .all(Result::is_ok)
        );
        assert_eq!(subject.read(&path).await, b"the right bytes");
    }
}

async fn a_dropped_draft_leaves_nothing(subject: &Subject) {
    for length in [100, 2_000_000] {
        let mut draft = subject.archive.draft().await.unwrap();
        draft.write(Bytes::from(bytes(2, length))).await.unwrap();
        drop(draft);
    }
    assert_eq!(subject.archive.sweep().await.unwrap(), 0);
}

async fn a_placement_of_the_other_layout_is_refused(subject: &Subject) {
    let layout = match subject.layout {
        Layout::Archive => Layout::Mirror,
        Layout::Mirror => Layout::Archive,
    };
    let wrong = Subject {
        layout,
        ..subject.clone()
    }
    .placement("wrong.jpg");
    let draft = subject.archive.draft().await.unwrap();
    let error = draft.finish(wrong).await.unwrap_err();
    assert!(matches!(error, ArchiveError::Settings(_)), "{error}");
}

async fn an_object_that_is_not_there_is_missing(subject: &Subject) {
    let digits = "0".repeat(64);
    let path = format!("objects/00/{digits}");
    // Whether a store says so at once or with the first bytes is its own affair.
    let error = match subject.archive.read(&path).await {
        Err(error) => error,
        Ok(stream) => futures::TryStreamExt::try_collect::<Vec<_>>(stream)
            .await
            .unwrap_err(),
    };
    assert!(matches!(error, ArchiveError::Missing(_)), "{error}");
}
