//! The mirror layout: plain files with safe names, whatever Google calls them.

use tintype_app::runs::RunChoice;
use tintype_emulator::{ItemBytes, ItemChange, Library, NewItem};
use tintype_model::{plan::Layout, run::RunState};

use crate::world::World;

#[tokio::test]
async fn hostile_names_stay_inside_and_apart() {
    let world = World::with_layout(Library::Empty, Layout::Mirror).await;
    let long = "x".repeat(4_000);
    let names = [
        "../../etc/passwd",
        "..",
        "a\0b.jpg",
        "CON.jpg",
        "\u{202e}gpj.exe",
        "café.jpg",
        "cafe\u{301}.jpg",
        "CAFÉ.jpg",
        "a/b\\c.jpg",
        " .jpg",
        "",
        "same.jpg",
        "same.jpg",
        long.as_str(),
    ];
    for name in names {
        world.add(name, NewItem::new(name, ItemBytes::Photo(20_000)));
    }
    let run = world.back_up(RunChoice::Full).await;
    assert_eq!(run.status.state, RunState::Succeeded);
    let manifest = world.manifest(&run).await;
    assert_eq!(manifest.items.len(), names.len());
    world.assert_manifest_is_what_google_serves(&manifest);
    for item in manifest.items.values() {
        let path = &item.content.path;
        assert!(
            path.starts_with("by-month/") && path.split('/').count() == 4,
            "{path}"
        );
        assert!(
            path.split('/')
                .all(|part| part != ".." && part.len() <= 200),
            "{path}"
        );
    }
    world.assert_archive_is_clean().await;
}

#[tokio::test]
async fn a_changed_photo_lies_beside_the_old_one_that_the_earlier_snapshot_needs() {
    let world = World::with_layout(Library::Sample, Layout::Mirror).await;
    let before = world.back_up(RunChoice::Full).await;
    let id = world.id_of("lake.jpg");
    let change = ItemChange {
        bytes: Some(ItemBytes::Sample("tower.jpg".into())),
        ..ItemChange::default()
    };
    world.emulator().change_item(&id, change).expect("changed");
    let after = world.back_up(RunChoice::Full).await;
    let (old, new) = (world.manifest(&before).await, world.manifest(&after).await);
    assert_ne!(old.items[&id].content.path, new.items[&id].content.path);
    world.assert_archive_is_clean().await;
}
