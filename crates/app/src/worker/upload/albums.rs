//! Albums at the account that stand for those of a plan: each made once, and followed by another part when it is full.

use std::collections::HashSet;

use tintype_model::{album::Album, item::ProviderId};
use tintype_ports::{PhotoError, store::AlbumPart};

use super::{LONGEST_TITLE, make::Maker};
use crate::{AppError, AppResult, steps::Step};

/// Google's limit.
const LARGEST_ALBUM: u64 = 20_000;
/// More pages of albums than any account has.
const MOST_PAGES: u32 = 2_000;

/// An album of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AlbumName {
    /// What the catalogue knows it by.
    pub(super) key: String,
    /// What people call it.
    pub(super) title: String,
}

impl AlbumName {
    /// The album that a folder becomes.
    pub(super) fn of_folder(title: &str) -> Self {
        Self {
            key: title.to_owned(),
            title: title.to_owned(),
        }
    }

    /// The album that another account's, or a snapshot's, becomes. Two of them may have one title.
    pub(super) fn of(album: &Album) -> Self {
        Self {
            key: album.provider_id.as_str().to_owned(),
            title: match album.title.trim() {
                "" => "Untitled".to_owned(),
                title => title.to_owned(),
            },
        }
    }
}

/// A part of an album that can take more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) number: u32,
    pub(super) id: ProviderId,
}

/// The title of a part: the album's own, and a number from the second on.
fn title(album: &str, number: u32) -> String {
    let suffix = match number {
        0 => String::new(),
        more => format!(" ({})", more + 1),
    };
    let room = LONGEST_TITLE - suffix.chars().count();
    let kept: String = album.chars().take(room).collect();
    format!("{kept}{suffix}")
}

impl Maker {
    /// The part that takes `more` items, made if need be. Only whoever writes to the account may ask.
    pub(super) async fn part_for(&self, album: &AlbumName, more: u64) -> AppResult<Part> {
        let parts = self.parts(album).await?;
        let room = |part: &&AlbumPart| part.members + more <= LARGEST_ALBUM;
        match parts.last() {
            Some(last) if room(&last) => {
                self.opened(album, last.part, last.id.clone(), &parts).await
            }
            Some(last) => self.opened(album, last.part + 1, None, &parts).await,
            None => self.opened(album, 0, None, &parts).await,
        }
    }

    /// The part after one that is full, or gone.
    pub(super) async fn part_after(&self, album: &AlbumName, part: &Part) -> AppResult<Part> {
        let parts = self.parts(album).await?;
        let next = parts.iter().find(|it| it.part > part.number);
        let number = next.map_or(part.number + 1, |next| next.part);
        let id = next.and_then(|next| next.id.clone());
        self.opened(album, number, id, &parts).await
    }

    /// All parts that were made of an album.
    pub(super) async fn parts(&self, album: &AlbumName) -> AppResult<Vec<AlbumPart>> {
        let shard = &self.lease.shard;
        let store = &self.app.ports.store;
        Ok(store
            .album_parts(shard.tenant, shard.plan, &album.key)
            .await?)
    }

    async fn opened(
        &self,
        album: &AlbumName,
        number: u32,
        id: Option<ProviderId>,
        parts: &[AlbumPart],
    ) -> AppResult<Part> {
        let id = match id {
            Some(id) => id,
            None => self.made(album, number, parts).await?,
        };
        Ok(Part { number, id })
    }

    async fn made(
        &self,
        album: &AlbumName,
        number: u32,
        parts: &[AlbumPart],
    ) -> AppResult<ProviderId> {
        let store = &self.app.ports.store;
        let title = title(&album.title, number);
        // Intended before, by somebody of whom nobody knows how far it came.
        let was_intended = parts.iter().any(|it| it.part == number);
        let mut found = None;
        if was_intended {
            found = self.find_album(&title, parts).await?;
        } else {
            store
                .put_album_part(&self.lease, &album.key, number, None)
                .await?;
            self.app.ports.steps.reached(Step::AlbumIntended);
        }
        let id = match found {
            Some(id) => id,
            None => match self.sink.create_album(&title).await {
                Ok(made) => made.provider_id,
                // Nobody knows whether it was made.
                Err(error @ PhotoError::Unavailable(_)) => {
                    match self.find_album(&title, parts).await? {
                        Some(id) => id,
                        None => return Err(error.into()),
                    }
                }
                Err(error) => return Err(error.into()),
            },
        };
        self.app.ports.steps.reached(Step::AlbumMade);
        store
            .put_album_part(&self.lease, &album.key, number, Some(&id))
            .await?;
        Ok(id)
    }

    /// An album of that title that stands for nothing else yet.
    async fn find_album(&self, title: &str, parts: &[AlbumPart]) -> AppResult<Option<ProviderId>> {
        let is_free = |id: &ProviderId| parts.iter().all(|part| part.id.as_ref() != Some(id));
        let albums = self.albums().await?;
        let found = albums
            .into_iter()
            .find(|album| album.title == title && is_free(&album.provider_id));
        Ok(found.map(|album| album.provider_id))
    }

    /// The ids of all albums at the account.
    pub(super) async fn album_ids(&self) -> AppResult<HashSet<ProviderId>> {
        let albums = self.albums().await?;
        Ok(albums.into_iter().map(|album| album.provider_id).collect())
    }

    async fn albums(&self) -> AppResult<Vec<Album>> {
        let (mut albums, mut token) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let page = self.source.albums(token.as_deref()).await?;
            albums.extend(page.entries);
            token = page.next;
            if token.is_none() {
                return Ok(albums);
            }
        }
        Err(AppError::Photos(PhotoError::Unavailable(
            "the list of albums does not end".into(),
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::title;

    #[test]
    fn a_part_has_a_number_from_the_second_on() {
        assert_eq!(title("Trips/Rome", 0), "Trips/Rome");
        assert_eq!(title("Trips/Rome", 1), "Trips/Rome (2)");
        let long = "é".repeat(600);
        assert_eq!(title(&long, 0).chars().count(), 500);
        assert!(title(&long, 11).ends_with("é (12)"));
        assert_eq!(title(&long, 11).chars().count(), 500);
    }
}
