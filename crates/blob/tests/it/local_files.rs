//! Files of a folder on this machine: no link is followed, nothing blocks, and what cannot be read is told.

use std::{
    ffi::OsStr,
    fs::{self, Permissions},
    os::unix::{
        ffi::OsStrExt as _,
        fs::{PermissionsExt as _, symlink},
    },
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use futures::TryStreamExt as _;
use rustix::fs::{Mode, OFlags};
use tempfile::TempDir;
use tintype_blob::{Root, open_files};
use tintype_ports::{ArchiveError, Files, files::Found};

use crate::files::told;

/// A folder of photos, with more beside it that is nobody's business.
struct Folder {
    place: TempDir,
    files: Arc<dyn Files>,
}

impl Folder {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("photos");
        fs::create_dir(&path).unwrap();
        let outside = place.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("secret.jpg"), "secret").unwrap();
        let files = open_files(Root::LocalFolder { path }, true).unwrap();
        Self { place, files }
    }

    fn root(&self) -> PathBuf {
        self.place.path().join("photos")
    }

    fn outside(&self) -> PathBuf {
        self.place.path().join("outside")
    }

    fn put(&self, path: impl AsRef<Path>) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "bytes").unwrap();
    }

    async fn told(&self) -> Vec<String> {
        told(&*self.files).await
    }

    async fn read(&self, path: &str) -> Result<Vec<u8>, ArchiveError> {
        let pieces: Vec<_> = self.files.read(path, 0).await?.try_collect().await?;
        Ok(pieces.concat())
    }

    async fn expect_missing(&self, path: &str) {
        let error = self.read(path).await.unwrap_err();
        assert!(matches!(error, ArchiveError::Missing(_)), "{path}: {error}");
    }
}

#[tokio::test]
async fn links_are_not_followed() {
    let folder = Folder::new();
    folder.put("album/a.jpg");
    symlink(
        folder.outside().join("secret.jpg"),
        folder.root().join("file.jpg"),
    )
    .unwrap();
    symlink(folder.outside(), folder.root().join("folder")).unwrap();
    symlink(".", folder.root().join("album/loop")).unwrap();
    symlink("nowhere", folder.root().join("broken.jpg")).unwrap();
    assert_eq!(folder.told().await, ["album/a.jpg"]);
    for path in [
        "file.jpg",
        "folder/secret.jpg",
        "album/loop/a.jpg",
        "broken.jpg",
    ] {
        folder.expect_missing(path).await;
    }
}

#[tokio::test]
async fn a_folder_that_a_link_replaced_leads_nowhere() {
    let folder = Folder::new();
    folder.put("album/secret.jpg");
    folder.put("album/sub/secret.jpg");
    let mut walk = folder.files.walk().await.unwrap();
    let first = walk.try_next().await.unwrap().unwrap();
    assert!(matches!(first, Found::File(file) if file.path == "album/secret.jpg"));
    fs::rename(folder.root().join("album"), folder.root().join(".away")).unwrap();
    fs::create_dir(folder.outside().join("sub")).unwrap();
    fs::write(folder.outside().join("sub/secret.jpg"), "secret").unwrap();
    symlink(folder.outside(), folder.root().join("album")).unwrap();
    assert_eq!(walk.try_next().await.unwrap(), None);
    folder.expect_missing("album/secret.jpg").await;
    folder.expect_missing("album/sub/secret.jpg").await;
}

#[tokio::test]
async fn the_root_itself_may_be_a_link() {
    let folder = Folder::new();
    folder.put("a.jpg");
    let path = folder.place.path().join("link");
    symlink(folder.root(), &path).unwrap();
    let files = open_files(Root::LocalFolder { path }, true).unwrap();
    assert_eq!(told(&*files).await, ["a.jpg"]);
}

#[tokio::test]
async fn a_pipe_is_left_out_and_keeps_nobody_waiting() {
    let folder = Folder::new();
    let pipe = folder.root().join("pipe.jpg");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let _socket = std::os::unix::net::UnixListener::bind(folder.root().join("socket.jpg")).unwrap();
    folder.put("a.jpg");
    assert_eq!(folder.told().await, ["a.jpg"]);
    folder.expect_missing("pipe.jpg").await;
    folder.expect_missing("socket.jpg").await;
    fs::rename(&pipe, folder.root().join("tintype.json")).unwrap();
    assert_eq!(folder.told().await, ["a.jpg"]);
}

#[tokio::test]
async fn a_folder_is_no_file() {
    let folder = Folder::new();
    folder.put("album.jpg/a.jpg");
    assert_eq!(folder.told().await, ["album.jpg/a.jpg"]);
    folder.expect_missing("album.jpg").await;
}

/// Whoever may read everything finds what is in such a folder; everybody else is told that it cannot be looked into.
#[tokio::test]
async fn a_folder_without_permission_is_told_and_passed_by() {
    let folder = Folder::new();
    folder.put("closed/a.jpg");
    folder.put("open/b.jpg");
    let closed = folder.root().join("closed");
    fs::set_permissions(&closed, Permissions::from_mode(0o000)).unwrap();
    let may_read_everything = fs::read_dir(&closed).is_ok();
    let told = folder.told().await;
    fs::set_permissions(&closed, Permissions::from_mode(0o755)).unwrap();
    let wanted = if may_read_everything {
        ["closed/a.jpg", "open/b.jpg"]
    } else {
        ["?closed", "open/b.jpg"]
    };
    assert_eq!(told, wanted);
}

/// Only Linux lets such names be made.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_name_that_is_not_utf_8_is_told_and_passed_by() {
    let folder = Folder::new();
    folder.put("a.jpg");
    folder.put("album/b.jpg");
    folder.put(OsStr::from_bytes(b"album/f\xFCr dich.jpg"));
    folder.put(OsStr::from_bytes(b"\xD6l/c.jpg"));
    folder.put(OsStr::from_bytes(b".\xD6l/c.jpg"));
    folder.put(OsStr::from_bytes(b"\xD6l.json"));
    symlink("a.jpg", folder.root().join(OsStr::from_bytes(b"\xD6.jpg"))).unwrap();
    assert_eq!(
        folder.told().await,
        [
            "?album/f\u{FFFD}r dich.jpg",
            "?\u{FFFD}l",
            "a.jpg",
            "album/b.jpg"
        ]
    );
}

#[tokio::test]
async fn names_that_mean_something_elsewhere_are_names_here() {
    let folder = Folder::new();
    let names = [
        " a.jpg",
        "C:\\a.jpg",
        "a.jpg ",
        "a\\..\\..\\outside\\secret.jpg",
        "line\nbreak.jpg",
        "~",
    ];
    for name in names {
        folder.put(name);
    }
    assert_eq!(folder.told().await, names);
    for name in names {
        assert_eq!(folder.read(name).await.unwrap(), b"bytes", "{name:?}");
    }
}

#[tokio::test]
async fn a_folder_with_more_files_than_are_read_at_once_is_read_to_its_end() {
    let folder = Folder::new();
    let mut wanted: Vec<String> = (0..1_000).map(|number| format!("{number}.jpg")).collect();
    wanted.extend((0..300).map(|number| format!("album {number}/a.jpg")));
    for path in &wanted {
        folder.put(path);
    }
    wanted.sort();
    assert_eq!(folder.told().await, wanted);
}

/// Systems refuse such a path as a whole, but not one folder in the other.
#[tokio::test]
async fn a_path_that_is_too_long_is_told_and_passed_by() {
    let folder = Folder::new();
    let name = "n".repeat(250);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let mut deepest = rustix::fs::open(folder.root(), flags, Mode::empty()).unwrap();
    for depth in 1..=17 {
        rustix::fs::mkdirat(&deepest, &name, Mode::RWXU).unwrap();
        deepest = rustix::fs::openat(&deepest, &name, flags, Mode::empty()).unwrap();
        if [15, 17].contains(&depth) {
            let new = OFlags::CREATE | OFlags::WRONLY;
            rustix::fs::openat(&deepest, "a.jpg", new, Mode::RUSR).unwrap();
        }
    }
    let down = |depth: usize| vec![name.as_str(); depth].join("/");
    let found = format!("{}/a.jpg", down(15));
    assert_eq!(
        folder.told().await,
        [format!("?{}", down(17)), found.clone()]
    );
    assert_eq!(folder.read(&found).await.unwrap(), b"");
}

#[tokio::test]
async fn what_goes_in_mid_walk_is_passed_by_but_not_when_the_root_goes() {
    for root_goes in [false, true] {
        let folder = Folder::new();
        for path in ["a.jpg", "one/b.jpg", "two/c.jpg"] {
            folder.put(path);
        }
        let mut walk = folder.files.walk().await.unwrap();
        assert!(walk.try_next().await.unwrap().is_some());
        fs::remove_dir_all(folder.root().join("one")).unwrap();
        if root_goes {
            fs::rename(folder.root(), folder.place.path().join("away")).unwrap();
            fs::create_dir(folder.root()).unwrap();
        }
        let rest: Result<Vec<Found>, ArchiveError> = walk.try_collect().await;
        match rest {
            Ok(rest) => assert!(!root_goes && rest.len() == 1, "{rest:?}"),
            Err(error) => assert!(
                root_goes && matches!(error, ArchiveError::Missing(_)),
                "{error}"
            ),
        }
    }
}

#[tokio::test]
async fn a_version_is_the_time_of_the_last_change_to_the_nanosecond() {
    let folder = Folder::new();
    folder.put("a.jpg");
    let file = fs::File::options()
        .write(true)
        .open(folder.root().join("a.jpg"))
        .unwrap();
    let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::new(1_700_000_000, 42);
    file.set_modified(time).unwrap();
    let found: Vec<Found> = folder
        .files
        .walk()
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    let [Found::File(file)] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(
        (file.size, file.version.as_str()),
        (5, "2023-11-14T22:13:20.000000042Z")
    );
}
