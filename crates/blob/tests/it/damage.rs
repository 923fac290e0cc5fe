//! Whatever is damaged or removed, `verify` names it.

use std::fs;

use proptest::{prelude::*, test_runner::Config};
use tintype_blob::{ArchiveReader, ProblemKind, VerifyOptions, VerifyReport, verify};
use tintype_ports::{ArchiveError, contract::archive::bytes};

use crate::support::{Place, files};

/// Three snapshots, five items, one object shared by two of them.
async fn fill(place: &Place) {
    let subject = place.subject();
    subject.archive.open_or_create().await.unwrap();
    let mut items = Vec::new();
    let mut previous = None;
    for number in 1..=3_u8 {
        items.push(
            subject
                .store(&format!("a{number}.jpg"), &bytes(number, 700))
                .await,
        );
        items.push(
            subject
                .store(&format!("b{number}.jpg"), &bytes(number / 2, 90_000))
                .await,
        );
        previous = Some(
            subject
                .publish(&subject.head(number, previous), &items)
                .await,
        );
    }
}

async fn check(place: &Place) -> Result<VerifyReport, ArchiveError> {
    let reader = ArchiveReader::open(&place.settings.root, place.identity.as_ref()).await?;
    verify(&reader, &VerifyOptions::default(), &|_| {}).await
}

fn names(outcome: &Result<VerifyReport, ArchiveError>, file: &str) -> bool {
    match outcome {
        Ok(report) => report.problems.iter().any(|problem| problem.path == file),
        Err(error) => error.to_string().contains(file),
    }
}

fn places() -> [Place; 3] {
    [
        Place::folder(),
        Place::folder().encrypted(),
        Place::folder().mirrored(),
    ]
}

#[tokio::test]
async fn an_archive_that_is_intact_is_found_intact() {
    for place in places() {
        fill(&place).await;
        let report = check(&place).await.unwrap();
        assert_eq!(report.problems, []);
        assert_eq!((report.snapshots, report.items, report.extra), (3, 12, 0));
    }
}

#[tokio::test]
async fn every_removed_file_is_named() {
    for place in places() {
        fill(&place).await;
        for file in files(place.root())
            .into_iter()
            .filter(|file| !file.starts_with('.'))
        {
            let path = place.root().join(&file);
            let kept = fs::read(&path).unwrap();
            fs::remove_file(&path).unwrap();
            let outcome = check(&place).await;
            assert!(names(&outcome, &file), "{file} was removed: {outcome:?}");
            fs::write(&path, kept).unwrap();
        }
        assert!(check(&place).await.unwrap().is_intact());
    }
}

#[tokio::test]
async fn every_file_that_is_cut_short_or_longer_is_named() {
    for place in places() {
        fill(&place).await;
        for file in files(place.root())
            .into_iter()
            .filter(|file| !file.starts_with('.'))
        {
            let path = place.root().join(&file);
            let kept = fs::read(&path).unwrap();
            let half = kept[..kept.len() / 2].to_vec();
            for damaged in [vec![], half, [kept.as_slice(), b"\n"].concat()] {
                fs::write(&path, damaged).unwrap();
                let outcome = check(&place).await;
                assert!(
                    names(&outcome, &file),
                    "{file} has another length: {outcome:?}"
                );
            }
            fs::write(&path, kept).unwrap();
        }
    }
}

#[test]
fn every_flipped_bit_is_named() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    for place in places() {
        runtime.block_on(fill(&place));
        for file in files(place.root())
            .into_iter()
            .filter(|file| !file.starts_with('.'))
        {
            let path = place.root().join(&file);
            let kept = fs::read(&path).unwrap();
            let config = Config {
                cases: 12,
                failure_persistence: None,
                ..Config::default()
            };
            proptest!(config, |(at in 0..kept.len(), bit in 0..8_u8)| {
                let mut damaged = kept.clone();
                damaged[at] ^= 1 << bit;
                fs::write(&path, damaged).unwrap();
                let outcome = runtime.block_on(check(&place));
                prop_assert!(names(&outcome, &file), "{} bit {} of byte {}: {:?}", file, bit, at, outcome);
            });
            fs::write(&path, kept).unwrap();
        }
    }
}

#[tokio::test]
async fn every_bit_of_a_manifest_counts() {
    let place = Place::folder();
    fill(&place).await;
    let mut snapshots = files(place.root()).into_iter();
    let file = snapshots.rfind(|file| file.ends_with(".zst")).unwrap();
    let path = place.root().join(&file);
    let kept = fs::read(&path).unwrap();
    let reader = place.reader().await;
    let snapshot = *reader.snapshots().await.unwrap().last().unwrap();
    for at in 0..kept.len() * 8 {
        let mut damaged = kept.clone();
        damaged[at / 8] ^= 1 << (at % 8);
        fs::write(&path, damaged).unwrap();
        let entries = reader.read_manifest(snapshot).await.unwrap();
        let read: Result<Vec<_>, _> = futures::TryStreamExt::try_collect(entries).await;
        assert!(matches!(read, Err(ArchiveError::Corrupt(_))), "bit {at}");
    }
}

#[tokio::test]
async fn a_problem_names_the_items_that_need_the_object() {
    let place = Place::folder();
    fill(&place).await;
    let subject = place.subject();
    let shared = subject.store("again.jpg", &bytes(1, 90_000)).await;
    fs::remove_file(place.root().join(&shared.content.path)).unwrap();
    let report = check(&place).await.unwrap();
    assert_eq!(report.problems.len(), 1);
    assert_eq!(report.problems[0].kind, ProblemKind::Missing);
    assert_eq!(report.problems[0].items, ["b2.jpg", "b3.jpg"]);
}

#[tokio::test]
async fn a_manifest_from_another_key_is_a_bad_signature() {
    let place = Place::folder();
    fill(&place).await;
    let mut subject = place.subject();
    subject.sign = std::sync::Arc::new(|_| [7; 64]);
    subject.publish(&subject.head(9, None), &[]).await;
    let report = check(&place).await.unwrap();
    let kinds: Vec<ProblemKind> = report.problems.iter().map(|problem| problem.kind).collect();
    assert_eq!(kinds, [ProblemKind::BadSignature]);
}

#[tokio::test]
async fn a_snapshot_out_of_the_chain_is_named() {
    let place = Place::folder();
    fill(&place).await;
    let subject = place.subject();
    subject.publish(&subject.head(9, None), &[]).await;
    let report = check(&place).await.unwrap();
    let kinds: Vec<ProblemKind> = report.problems.iter().map(|problem| problem.kind).collect();
    assert_eq!(kinds, [ProblemKind::BrokenChain]);
}

#[tokio::test]
async fn extra_objects_are_counted_and_foreign_files_are_named() {
    let place = Place::folder();
    fill(&place).await;
    place
        .subject()
        .store("unneeded.jpg", b"no snapshot needs me")
        .await;
    assert_eq!(check(&place).await.unwrap().extra, 1);
    fs::write(place.root().join("objects/notes.txt"), "mine").unwrap();
    let report = check(&place).await.unwrap();
    assert_eq!(report.problems[0].path, "objects/notes.txt");
    assert_eq!(report.problems[0].kind, ProblemKind::ForeignFile);
}

#[tokio::test]
async fn an_encrypted_archive_asks_for_its_identity() {
    let mut place = Place::folder().encrypted();
    fill(&place).await;
    place.identity = None;
    let error = check(&place).await.unwrap_err();
    assert!(
        matches!(error, ArchiveError::Locked(_)) && error.to_string().contains("--identity"),
        "{error}"
    );
    place.identity = Place::folder().encrypted().identity;
    let error = check(&place).await.unwrap_err();
    assert!(error.to_string().contains("does not belong"), "{error}");
}
