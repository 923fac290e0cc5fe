//! What files of every kind of place promise: all are found, folder by folder, and read from any byte on.

#![expect(
    clippy::unwrap_used,
    reason = "a suite panics where an adapter breaks its promise"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt as _;

use super::archive::bytes;
use crate::{
    ArchiveError, Files,
    files::{Found, FoundFile},
};

/// Whoever puts files into a place and takes them away.
#[async_trait]
pub trait Owner: Send + Sync {
    /// Puts a file there, in place of what is there.
    async fn put(&self, path: &str, bytes: &[u8]);

    /// Takes a file away.
    async fn remove(&self, path: &str);
}

/// Files under test.
pub struct Subject {
    /// The files of an empty place.
    pub files: Arc<dyn Files>,
    /// Whose place it is.
    pub owner: Arc<dyn Owner>,
    /// The files of a place that does not exist; `None` where all places exist.
    pub missing: Option<Arc<dyn Files>>,
}

/// Runs the whole suite.
///
/// # Panics
/// When the adapter breaks a promise.
pub async fn run(subject: Subject) {
    an_empty_place_has_no_files(&subject).await;
    a_place_that_is_not_there_is_missing(&subject).await;
    everything_is_found_folder_by_folder(&subject).await;
    a_file_that_changes_has_another_version(&subject).await;
    what_is_no_photo_by_its_name_is_left_out(&subject).await;
    names_of_any_kind_are_found_and_read(&subject).await;
    bytes_are_read_from_any_of_them_on(&subject).await;
    a_file_that_went_is_missing(&subject).await;
    a_path_that_no_walk_gives_is_refused(&subject).await;
}

async fn an_empty_place_has_no_files(subject: &Subject) {
    assert_eq!(subject.walk().await, []);
}

async fn a_place_that_is_not_there_is_missing(subject: &Subject) {
    let Some(missing) = &subject.missing else {
        return;
    };
    for outcome in [
        missing.walk().await.map(|_| ()),
        missing.read("a.jpg", 0).await.map(|_| ()),
    ] {
        let error = outcome.unwrap_err();
        assert!(matches!(error, ArchiveError::Missing(_)), "{error}");
    }
}

async fn everything_is_found_folder_by_folder(subject: &Subject) {
    let mut wanted: BTreeSet<String> = [
        "a/1.jpg",
        "a/b/1.jpg",
        "a/b/c/d/1.jpg",
        "a/b/c/d/2.jpg",
        "a.jpg",
        "a b/1.jpg",
        "b/c/1.jpg",
        "b/1.jpg",
        "b.jpg",
        "z/y/x/1.jpg",
    ]
    .map(str::to_owned)
    .into();
    wanted.extend((0..40).map(|number| format!("many/{number}.jpg")));
    for path in &wanted {
        subject.owner.put(path, path.as_bytes()).await;
    }
    let found = subject.walk().await;
    let paths: Vec<&str> = found.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        paths.iter().copied().collect::<BTreeSet<_>>(),
        wanted.iter().map(String::as_str).collect(),
    );
    assert_eq!(paths.len(), wanted.len(), "each is found once");
    for file in &found {
        assert_eq!(file.size, file.path.len() as u64, "{}", file.path);
    }
    check_order(&paths);
    subject.clear().await;
}

/// A folder's files stand together, before those of the folders in it; and all below a folder stands together as well.
fn check_order(paths: &[&str]) {
    let folders: BTreeSet<&str> = paths
        .iter()
        .flat_map(|path| path.match_indices('/').map(|(at, _)| &path[..=at]))
        .collect();
    for folder in folders {
        let below: Vec<usize> = positions(paths, |path| path.starts_with(folder));
        let files = positions(paths, |path| {
            path.strip_prefix(folder)
                .is_some_and(|name| !name.contains('/'))
        });
        assert!(are_together(&below), "{folder}: {paths:?}");
        assert!(below.starts_with(&files), "{folder}: {paths:?}");
    }
    let at_the_root = positions(paths, |path| !path.contains('/'));
    let first: Vec<usize> = (0..at_the_root.len()).collect();
    assert_eq!(at_the_root, first, "{paths:?}");
}

fn positions(paths: &[&str], fits: impl Fn(&str) -> bool) -> Vec<usize> {
    let fitting = paths.iter().enumerate().filter(|(_, path)| fits(path));
    fitting.map(|(at, _)| at).collect()
}

fn are_together(positions: &[usize]) -> bool {
    positions.windows(2).all(|pair| pair[0] + 1 == pair[1])
}

async fn a_file_that_changes_has_another_version(subject: &Subject) {
    for path in ["one.jpg", "folder/other.jpg", "longer.jpg"] {
        subject.owner.put(path, b"first").await;
    }
    let before = subject.versions().await;
    assert_eq!(subject.versions().await, before, "looking changes nothing");
    subject.owner.put("one.jpg", b"later").await;
    subject.owner.put("longer.jpg", b"first and more").await;
    let after = subject.versions().await;
    assert_ne!(after["one.jpg"].1, before["one.jpg"].1);
    assert_ne!(after["longer.jpg"].1, before["longer.jpg"].1);
    assert_eq!(after["longer.jpg"].0, 14);
    assert_eq!(after["folder/other.jpg"], before["folder/other.jpg"]);
    subject.clear().await;
}

async fn what_is_no_photo_by_its_name_is_left_out(subject: &Subject) {
    let left_out = [
        ".hidden.jpg",
        ".folder/a.jpg",
        "sub/.deeper/b/c.jpg",
        "sub/.DS_Store",
        "Thumbs.db",
        "sub/thumbs.db",
        "Desktop.ini",
        "@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg",
        "sub/__MACOSX/a.jpg",
        "a.jpg.json",
        "a.JPG.supplemental-metadata.Json",
        "sub/a.xmp",
        "sub/A.AAE",
    ];
    // Names that only look alike, and files that are told for what they are.
    let found = [
        "a.jpg",
        "json",
        "notes.txt",
        "snapshots/a.jpg",
        "sub/My Thumbs.db.jpg",
        "sub/a.b/c.xmp.jpg",
        "sub/album.json/a.jpg",
    ];
    for path in left_out.iter().chain(&found) {
        subject.owner.put(path, b"bytes").await;
    }
    let paths: Vec<String> = subject.versions().await.into_keys().collect();
    assert_eq!(paths, found);
    for path in left_out {
        subject.owner.remove(path).await;
    }
    subject.clear().await;
}

async fn names_of_any_kind_are_found_and_read(subject: &Subject) {
    let names = [
        "two words.jpg",
        "Übung in Öl.jpg",
        "\u{1F30A} wave \u{1F1E9}\u{1F1EA}.jpg",
        "海.jpg",
        "100%.jpg",
        "50%20off.jpg",
        "#1.jpg",
        "what?.jpg",
        "a+b.jpg",
        "a&b=c;d,e!.jpg",
        "it's \"quoted\" <so>.jpg",
        "(1) [2] {3} $4 ~5 @6 :7 *8 |9.jpg",
    ];
    let mut wanted = BTreeSet::new();
    for name in names {
        let folder = name.trim_end_matches(".jpg");
        wanted.extend([name.to_owned(), format!("{folder}/{name}")]);
    }
    for path in &wanted {
        subject.owner.put(path, path.as_bytes()).await;
    }
    let found: BTreeSet<String> = subject.versions().await.into_keys().collect();
    assert_eq!(found, wanted);
    for path in &wanted {
        assert_eq!(subject.read(path, 0).await, path.as_bytes(), "{path}");
    }
    subject.clear().await;
}

async fn bytes_are_read_from_any_of_them_on(subject: &Subject) {
    let content = bytes(1, 1_200_000);
    subject.owner.put("folder/large.jpg", &content).await;
    subject.owner.put("empty.jpg", b"").await;
    for offset in [0, 1, 65_536, 262_144, 700_001, 1_199_999, 1_200_000] {
        let read = subject.read("folder/large.jpg", offset as u64).await;
        assert!(read == content[offset..], "from {offset}");
    }
    // A file that was cut meanwhile has nothing there.
    let behind_the_end = subject.read("folder/large.jpg", 1_200_001).await;
    assert_eq!(behind_the_end, b"");
    assert_eq!(subject.versions().await["empty.jpg"].0, 0);
    assert_eq!(subject.read("empty.jpg", 0).await, b"");
    subject.clear().await;
}

async fn a_file_that_went_is_missing(subject: &Subject) {
    subject.owner.put("folder/a.jpg", b"bytes").await;
    subject.owner.put("b.jpg", b"bytes").await;
    assert_eq!(subject.read("folder/a.jpg", 0).await, b"bytes");
    subject.owner.remove("folder/a.jpg").await;
    for path in ["folder/a.jpg", "folder/never.jpg", "b.jpg/c.jpg", "d.jpg"] {
        for offset in [0, 3] {
            let error = subject.files.read(path, offset).await.err().unwrap();
            assert!(matches!(error, ArchiveError::Missing(_)), "{path}: {error}");
        }
    }
    subject.clear().await;
}

async fn a_path_that_no_walk_gives_is_refused(subject: &Subject) {
    subject.owner.put("a/b.jpg", b"bytes").await;
    subject.owner.put("a/.b.jpg", b"bytes").await;
    subject.owner.put("a/b.jpg.json", b"{}").await;
    let long = "a/".repeat(3_000) + "b.jpg";
    for path in [
        "",
        "/",
        "a/",
        "/a/b.jpg",
        "/etc/passwd",
        "../x",
        "a/../a/b.jpg",
        "a/../../x",
        "./a/b.jpg",
        "a/./b.jpg",
        "a//b.jpg",
        "a/b.jpg/",
        "a/b.jpg\0",
        "a/.b.jpg",
        "a/b.jpg.json",
        &long,
    ] {
        let error = subject.files.read(path, 0).await.err();
        assert!(
            matches!(error, Some(ArchiveError::Settings(_))),
            "{path:?}: {error:?}"
        );
    }
    subject.owner.remove("a/.b.jpg").await;
    subject.owner.remove("a/b.jpg.json").await;
    subject.clear().await;
}

impl Subject {
    /// All files, none of them unreadable.
    async fn walk(&self) -> Vec<FoundFile> {
        let found: Vec<Found> = self
            .files
            .walk()
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        let files = found.into_iter().map(|found| match found {
            Found::File(file) => file,
            Found::Unreadable { path, reason } => panic!("{path}: {reason}"),
        });
        files.collect()
    }

    /// Length and version of each file, by its path.
    async fn versions(&self) -> BTreeMap<String, (u64, String)> {
        let files = self.walk().await.into_iter();
        files
            .map(|file| (file.path, (file.size, file.version)))
            .collect()
    }

    async fn read(&self, path: &str, offset: u64) -> Vec<u8> {
        let stream = self.files.read(path, offset).await.unwrap();
        let pieces: Vec<Bytes> = stream.try_collect().await.unwrap();
        pieces.concat()
    }

    /// Takes all files away that a walk finds.
    async fn clear(&self) {
        for file in self.walk().await {
            self.owner.remove(&file.path).await;
        }
        assert_eq!(self.walk().await, []);
    }
}
