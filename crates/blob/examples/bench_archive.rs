//! Measures writing to a local folder archive: `cargo run --release -p tintype-blob --example bench_archive [FOLDER]`.
//! 5,000 × 200 KiB through draft, write, finish and commit: 32 drafts at once, groups of 64.

use std::{path::PathBuf, sync::Arc, time::Instant};

use bytes::Bytes;
use chrono::DateTime;
use futures::{StreamExt as _, stream};
use tintype_blob::{ArchiveSettings, Root, Spool, open_archive};
use tintype_model::{ArchiveId, plan::Layout};
use tintype_ports::{
    Archive, ArchiveError,
    archive::{Placement, Staged},
};

const ITEMS: u64 = 5_000;
const SIZE: usize = 200 * 1024;
const PIECE: usize = 16 * 1024;
const DRAFTS: usize = 32;
const GROUP: usize = 64;
const COMMITS: usize = 2;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = match std::env::args().nth(1) {
        Some(folder) => tempfile::tempdir_in(PathBuf::from(folder))?,
        None => tempfile::tempdir()?,
    };
    // Kept to the end: discarding the blocks of a round that is removed would slow the next one down.
    let mut places = Vec::new();
    for recipients in [
        vec![],
        vec![age::x25519::Identity::generate().to_public().to_string()],
    ] {
        for round in 1..=3 {
            let place = tempfile::tempdir_in(folder.path())?;
            let archive = open_archive(settings(place.path().to_owned(), recipients.clone()))?;
            archive.open_or_create().await?;
            let started = Instant::now();
            write_all(&archive).await?;
            let seconds = started.elapsed().as_secs_f64();
            let sealed = if recipients.is_empty() {
                "plain"
            } else {
                "age"
            };
            println!("{sealed}, round {round}: {ITEMS} × 200 KiB in {seconds:.2} s");
            places.push(place);
        }
    }
    Ok(())
}

async fn write_all(archive: &Arc<dyn Archive>) -> Result<(), ArchiveError> {
    let drafts = stream::iter(0..ITEMS).map(|number| write_one(archive, number));
    let groups = drafts.buffer_unordered(DRAFTS).chunks(GROUP);
    let commits = groups.map(|group| async move {
        let group: Vec<Staged> = group.into_iter().collect::<Result<_, _>>()?;
        archive
            .commit(group)
            .await
            .into_iter()
            .collect::<Result<(), _>>()
    });
    let mut commits = Box::pin(commits.buffer_unordered(COMMITS));
    while let Some(result) = commits.next().await {
        result?;
    }
    Ok(())
}

async fn write_one(archive: &Arc<dyn Archive>, number: u64) -> Result<Staged, ArchiveError> {
    let mut draft = archive.draft().await?;
    let mut left = SIZE;
    while left > 0 {
        let mut piece = vec![7; PIECE.min(left)];
        piece[..8].copy_from_slice(&number.to_le_bytes());
        left -= piece.len();
        draft.write(Bytes::from(piece)).await?;
    }
    draft.finish(Placement::ByContent).await
}

fn settings(path: PathBuf, recipients: Vec<String>) -> ArchiveSettings {
    let spool = Spool {
        folder: path.clone(),
        bytes: 0,
    };
    ArchiveSettings {
        root: Root::LocalFolder { path },
        archive: ArchiveId::new(DateTime::UNIX_EPOCH, [1; 10]),
        layout: Layout::Archive,
        recipients,
        signing_key: [0; 32],
        local_folders: true,
        spool,
        identity: None,
    }
}
