//! The listing of an upload: the files of a folder or bucket, or the items of a snapshot.

use std::sync::Arc;

use futures::StreamExt as _;
use tintype_media::accepted;
use tintype_model::{
    SnapshotId,
    album::Album,
    item::{CameraFacts, FileFacts, ItemMetadata, MediaKind, ProviderId},
    plan::{Plan, UploadFrom},
    shard::Lease,
    snapshot::{ManifestAlbum, ManifestItem},
};
use tintype_ports::{
    Archive,
    archive::ManifestEntry,
    files::{Found, FoundFile},
};

use super::{
    enumerate::{Cursor, Phase, leftovers},
    findings::Findings,
    heartbeat::Halt,
    slot::ShardEnd,
    upload::LONGEST_TITLE,
};
use crate::{App, AppError, AppResult, steps::Step};

/// Entries that are looked up and written together.
const PAGE: usize = 100;
/// Catalogue rows that one look brings.
const LOOK: u32 = 1_000;
/// Members of an album that one write holds.
const MEMBERS: usize = 500;

impl App {
    pub(super) async fn enumerate_files(
        &self,
        lease: &Arc<Lease>,
        plan: &Plan,
        halt: &Halt,
    ) -> AppResult<ShardEnd> {
        let mut found = Findings::open(self, Arc::clone(lease), None, halt.clone()).await?;
        let walked = walk(&mut found, plan).await;
        // What was found so far is kept whatever ended the walk; if the lease is lost this fails as it must.
        found.flush(true).await?;
        walked
    }
}

async fn walk(found: &mut Findings, plan: &Plan) -> AppResult<ShardEnd> {
    loop {
        let phase = match found.cursor.clone() {
            Cursor::Leftovers { after } => {
                let next = first_cursor(found, plan).await?;
                leftovers(found, after, next).await?
            }
            Cursor::Snapshot { id } => snapshot(found, plan, id).await?,
            Cursor::Gone { after } => gone(found, after).await?,
            _ => files(found, plan).await?,
        };
        match phase {
            Phase::Next(cursor) => found.cursor = cursor,
            Phase::Halted => return Ok(ShardEnd::HandedBack),
            Phase::Over => return Ok(ShardEnd::Done),
        }
    }
}

/// Where the listing itself begins.
async fn first_cursor(found: &Findings, plan: &Plan) -> AppResult<Cursor> {
    match plan.options.upload.unwrap_or_default().from {
        UploadFrom::Files => Ok(Cursor::Files),
        UploadFrom::Snapshot { .. } => {
            let id = found.app.snapshot_to_upload(plan).await?;
            Ok(Cursor::Snapshot { id })
        }
    }
}

async fn files(found: &mut Findings, plan: &Plan) -> AppResult<Phase> {
    let run = found.lease.shard.run;
    let files = found.app.open_files(plan, Some(run)).await?;
    let with_albums = plan.options.upload.unwrap_or_default().albums;
    let mut walk = files.walk().await.map_err(AppError::Source)?.chunks(PAGE);
    while let Some(entries) = walk.next().await {
        if found.is_halted() {
            return Ok(Phase::Halted);
        }
        found.app.ports.steps.reached(Step::PageListed);
        let mut page = Vec::with_capacity(entries.len());
        for entry in entries {
            match entry.map_err(AppError::Source)? {
                Found::File(file) => {
                    page.push(from_file(file, with_albums));
                }
                Found::Unreadable { path, reason } => {
                    found.unusable(1, &format!("{path}: {reason}"));
                }
            }
        }
        found.take(page).await?;
        found.page_done().await?;
    }
    Ok(Phase::Next(Cursor::Gone { after: None }))
}

/// A file as an item.
pub(crate) fn from_file(file: FoundFile, with_albums: bool) -> (ProviderId, ItemMetadata) {
    let id = ProviderId::of_path(&file.path);
    (id, metadata(file, with_albums))
}

/// What a file tells without being opened.
fn metadata(file: FoundFile, with_albums: bool) -> ItemMetadata {
    let (folder, filename) = match file.path.rsplit_once('/') {
        Some((folder, name)) => (Some(folder), name),
        None => (None, file.path.as_str()),
    };
    let accepted = accepted::accepted(filename);
    ItemMetadata {
        filename: filename.to_owned(),
        mime_type: accepted.map_or_else(
            || "application/octet-stream".to_owned(),
            |it| it.mime_type.to_owned(),
        ),
        kind: accepted.map_or(MediaKind::Photo, |it| it.kind),
        description: None,
        created_at: None,
        dimensions: None,
        camera: CameraFacts::default(),
        video_status: None,
        file: Some(FileFacts {
            album: folder.filter(|_| with_albums).map(title),
            size: file.size,
            version: file.version,
            path: file.path,
        }),
    }
}

/// A folder's path as an album's title: the whole of it, so that two folders of one name stay two albums.
fn title(folder: &str) -> String {
    let length = folder.chars().count();
    folder
        .chars()
        .skip(length.saturating_sub(LONGEST_TITLE))
        .collect()
}

async fn snapshot(found: &mut Findings, plan: &Plan, id: SnapshotId) -> AppResult<Phase> {
    let run = found.lease.shard.run;
    let archive = found.app.open_uploaded_archive(plan, Some(run)).await?;
    archive.open().await.map_err(AppError::Source)?;
    // The signature stands at the end: nothing is taken before it was read.
    drain(archive.as_ref(), id).await?;
    let with_albums = plan.options.upload.unwrap_or_default().albums;
    let mut entries = archive.read_manifest(id).await.map_err(AppError::Source)?;
    let mut page = Vec::with_capacity(PAGE);
    let mut place = 0;
    while let Some(entry) = entries.next().await {
        if found.is_halted() {
            return Ok(Phase::Halted);
        }
        match entry.map_err(AppError::Source)? {
            ManifestEntry::Item(item) => {
                page.push(from_manifest(*item));
                if page.len() == PAGE {
                    take(found, &mut page).await?;
                }
            }
            ManifestEntry::Album(it) if with_albums => {
                take(found, &mut page).await?;
                album(found, place, it).await?;
                place += 1;
            }
            ManifestEntry::Head(_) | ManifestEntry::Album(_) | ManifestEntry::End { .. } => {}
        }
    }
    take(found, &mut page).await?;
    Ok(Phase::Next(Cursor::Gone { after: None }))
}

async fn take(found: &mut Findings, page: &mut Vec<(ProviderId, ItemMetadata)>) -> AppResult<()> {
    if !page.is_empty() {
        found.take(std::mem::take(page)).await?;
        found.page_done().await?;
    }
    Ok(())
}

async fn drain(archive: &dyn Archive, id: SnapshotId) -> AppResult<()> {
    let mut entries = archive.read_manifest(id).await.map_err(AppError::Source)?;
    while let Some(entry) = entries.next().await {
        entry.map_err(AppError::Source)?;
    }
    Ok(())
}

/// An item of a snapshot as one to upload.
pub(crate) fn from_manifest(item: ManifestItem) -> (ProviderId, ItemMetadata) {
    let file = FileFacts {
        path: item.content.path,
        size: item.content.size,
        version: item.content.blob.to_string(),
        album: None,
    };
    let metadata = ItemMetadata {
        file: Some(file),
        video_status: None,
        ..item.metadata
    };
    (item.id, metadata)
}

/// Notes an album and its members, so that they are joined once all of them are there.
async fn album(found: &mut Findings, place: u64, album: ManifestAlbum) -> AppResult<()> {
    let noted = Album {
        provider_id: album.id.clone(),
        title: album.title,
        items_count: album.items.len() as u64,
    };
    found.album(place, noted);
    let mut from = 0;
    for members in album.items.chunks(MEMBERS) {
        found.members(album.id.clone(), from, members.to_vec());
        from += members.len() as u64;
        found.page_done().await?;
    }
    Ok(())
}

/// What the walk did not come across is gone. Nothing is taken away at Google.
async fn gone(found: &mut Findings, mut after: Option<u64>) -> AppResult<Phase> {
    let shard = found.lease.shard.clone();
    loop {
        if found.is_halted() {
            return Ok(Phase::Halted);
        }
        let store = &found.app.ports.store;
        let rows = store.present(shard.tenant, shard.plan, after, LOOK).await?;
        let Some((last, _)) = rows.last() else {
            return Ok(Phase::Over);
        };
        after = Some(*last);
        for (seq, _) in rows {
            if !found.seen.contains(seq) {
                found.gone(seq);
            }
        }
        found.cursor = Cursor::Gone { after };
        found.flush(false).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> FoundFile {
        FoundFile {
            path: path.into(),
            size: 7,
            version: "1".into(),
        }
    }

    fn album_of(path: &str) -> Option<String> {
        metadata(file(path), true).file.and_then(|it| it.album)
    }

    #[test]
    fn a_folder_is_an_album_and_the_root_is_none() {
        assert_eq!(album_of("a.jpg"), None);
        assert_eq!(
            album_of("Trips/2019 Rome/a.jpg").as_deref(),
            Some("Trips/2019 Rome")
        );
        assert_eq!(
            metadata(file("Trips/a.jpg"), false).file.unwrap().album,
            None
        );
        let deep = format!("{}/{}/a.jpg", "x".repeat(600), "y".repeat(10));
        let title = album_of(&deep).unwrap();
        assert_eq!(title.chars().count(), 500);
        assert!(title.ends_with(&format!("/{}", "y".repeat(10))));
    }

    #[test]
    fn a_file_is_known_by_its_name_until_it_is_opened() {
        let film = metadata(file("a/b.MOV"), true);
        assert_eq!(
            (film.filename.as_str(), film.kind),
            ("b.MOV", MediaKind::Video)
        );
        assert_eq!(film.mime_type, "video/quicktime");
        let strange = metadata(file("notes.txt"), true);
        assert_eq!(strange.mime_type, "application/octet-stream");
    }
}
