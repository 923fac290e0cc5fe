//! `tintype demo`: the main job, from one command.

use tempfile::TempDir;

use crate::household::{run, text, tintype};

#[tokio::test]
async fn the_demo_shows_that_nothing_is_downloaded_twice_and_nothing_differs() {
    let ended = run(tintype(&["demo", "--items", "120", "--size", "20KiB"])).await;
    ended.assert_code(0);
    for line in ["differing bytes", "problems"] {
        assert!(ended.stdout.contains(line), "{}", ended.stdout);
    }
    assert!(
        !ended.stdout.contains('\u{1b}'),
        "colours go to terminals only"
    );
}

#[tokio::test]
async fn the_demo_takes_a_folder_of_photos_and_leaves_it_alone() {
    let folder = TempDir::new().expect("a folder");
    let media = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/emulator/media");
    for name in ["lake.jpg", "tower.jpg", "chart.png", "clip.mp4"] {
        std::fs::copy(format!("{media}/{name}"), folder.path().join(name)).expect("copied");
    }
    // As people type it: `cargo demo -- --library DIR`.
    let ended = run(tintype(&[
        "demo",
        "--",
        "--library",
        text(folder.path()),
        "--json",
    ]))
    .await;
    ended.assert_code(0);
    let names = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(names, 4);
}
