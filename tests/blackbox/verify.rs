//! `tintype verify`: a byte flipped in any stored object, or an object removed, is named, and the exit code tells.

use std::path::{Path, PathBuf};

use tintype_emulator::Library;

use crate::household::{Household, run, text, tintype};

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

async fn backed_up() -> Household {
    let household = Household::new(Library::Sample).await;
    run(household.backup(&[])).await.assert_code(0);
    let archive = household.archive();
    run(tintype(&["verify", text(&archive)]))
        .await
        .assert_code(0);
    household
}

#[tokio::test]
async fn every_object_that_is_flipped_or_removed_is_named() {
    let household = backed_up().await;
    let archive = household.archive();
    let objects = files(&archive.join("objects"));
    assert_eq!(objects.len(), 6);
    for object in objects {
        let whole = std::fs::read(&object).expect("read");
        let name = object
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name");
        for at in [0, whole.len() / 2, whole.len() - 1] {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            std::fs::write(&object, flipped).expect("written");
            let ended = run(tintype(&["verify", text(&archive)])).await;
            ended.assert_code(1);
            let said = format!("{}{}", ended.stdout, ended.stderr);
            assert!(said.contains(name), "byte {at} of {name}: {said}");
        }
        std::fs::remove_file(&object).expect("removed");
        let ended = run(tintype(&["verify", "--json", text(&archive)])).await;
        ended.assert_code(1);
        assert!(ended.stdout.contains(name), "{}", ended.stdout);
        std::fs::write(&object, whole).expect("put back");
    }
    run(tintype(&["verify", text(&archive)]))
        .await
        .assert_code(0);
}

#[tokio::test]
async fn a_damaged_manifest_and_a_lost_descriptor_are_named() {
    let household = backed_up().await;
    let archive = household.archive();
    let manifest = files(&archive.join("snapshots")).remove(0);
    let whole = std::fs::read(&manifest).expect("read");
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    std::fs::write(&manifest, flipped).expect("written");
    let ended = run(tintype(&["verify", text(&archive)])).await;
    ended.assert_code(1);
    let name = manifest
        .file_name()
        .and_then(|name| name.to_str())
        .expect("a name");
    assert!(format!("{}{}", ended.stdout, ended.stderr).contains(name));
    std::fs::write(&manifest, whole).expect("put back");

    std::fs::remove_file(archive.join("tintype.json")).expect("removed");
    let ended = run(tintype(&["verify", text(&archive)])).await;
    assert_ne!(ended.code(), Some(0));
    assert!(ended.stderr.contains("tintype.json"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_restore_brings_back_every_byte() {
    let household = backed_up().await;
    let (archive, target) = (household.archive(), household.path("restored"));
    run(tintype(&["restore", text(&archive), "--to", text(&target)]))
        .await
        .assert_code(0);
    let restored = files(&target);
    let account = tintype_emulator::DEFAULT_ACCOUNT;
    for item in household.control.items(account, 100).expect("the account") {
        let suffix = if item.mime.starts_with("video/") {
            "dv"
        } else {
            "d"
        };
        let served = household
            .control
            .served_bytes(&item.id, suffix)
            .expect("known")
            .expect("bytes");
        let is_it = |path: &PathBuf| std::fs::read(path).expect("read") == served;
        assert!(
            restored.iter().any(is_it),
            "{} was not restored",
            item.file_name
        );
    }
}
