//! Where libraries come from: committed samples, invented items, or a person's own folder.

pub(crate) mod folder;
pub(crate) mod generated;
pub(crate) mod sample;

use crate::config::Library;
use crate::error::EmulatorError;
use crate::mix::mix2;
use crate::state::World;
use crate::state::album::Album;
use crate::state::item::{Content, StoredItem};
use crate::state::shelf::Owner;
use crate::sync::write;

/// Puts a library into an account, as if the client had created it.
pub(crate) fn place(world: &World, owner: Owner, library: Library) -> Result<(), EmulatorError> {
    match library {
        Library::Empty => {}
        Library::Sample => place_samples(world, owner),
        Library::Generated(options) => {
            let seed = mix2(
                world.seed,
                u64::from(owner.account) << 16 | u64::from(owner.client),
            );
            let set = generated::GeneratedSet::new(owner.account, owner.client, options, seed);
            write(&world.shelf).add_set(set);
        }
        Library::Folder(path) => {
            let items = folder::read(&path)?;
            let mut shelf = write(&world.shelf);
            for item in items {
                shelf.add(owner, item);
            }
        }
    }
    Ok(())
}

fn place_samples(world: &World, owner: Owner) {
    let mut shelf = write(&world.shelf);
    let mut summer = Album::new(owner, "Summer".to_owned());
    for sample in &sample::SAMPLES {
        let key = shelf.add(owner, sample_item(sample));
        if ["lake.jpg", "garden.heic"].contains(&sample.name) {
            summer.add(key);
        }
    }
    shelf.add_album(summer);
}

/// A stored item with the bytes of a sample.
pub(crate) fn sample_item(sample: &'static sample::Sample) -> StoredItem {
    let facts = crate::serving::probe::probe(sample.bytes);
    StoredItem {
        created_ms: sample.created_ms,
        added_ms: sample.created_ms,
        file_name: sample.name.into(),
        mime: sample.mime,
        width: sample.width,
        height: sample.height,
        description: None,
        camera: facts.camera.map(Box::new),
        archived: false,
        favorite: false,
        removed: false,
        failed: false,
        ready_ms: i64::MIN,
        content: Content::Sample(sample),
    }
}
