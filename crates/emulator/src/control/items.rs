//! Items through the control API: adding, changing and looking up what no app may do by itself.

use aws_lc_rs::digest::{Context as Digest, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::Control;
use super::shapes::{Expected, ItemBytes, ItemChange, ItemSummary, NewItem};
use crate::error::EmulatorError;
use crate::library::{sample, sample_item};
use crate::serving::content::{self, Served, Source, Suffix};
use crate::serving::filler::Filler;
use crate::serving::{download, probe};
use crate::state::album::Album;
use crate::state::ids::{ALBUMS, Key};
use crate::state::item::{Content, StoredItem};
use crate::state::shelf::{Owner, Viewer};
use crate::sync::{lock, read, write};

impl Control {
    /// Adds an item to an account as the creation of a client, and says its id.
    ///
    /// # Errors
    /// When account, client, sample or album are unknown, or the base64 is broken.
    pub fn add_item(
        &self,
        email: &str,
        client_id: &str,
        item: NewItem,
    ) -> Result<String, EmulatorError> {
        let (account, client) = self.pair(email, client_id)?;
        let owner = Owner { account, client };
        let album = match &item.album {
            Some(id) => Some(self.key("album", id)?),
            None => None,
        };
        let mut stored = self.stored(&item.bytes, &item.file_name)?;
        stored.created_ms = item.created_ms.unwrap_or(stored.created_ms);
        stored.description = item.description.map(String::into_boxed_str);
        stored.archived = item.archived;
        stored.favorite = item.favorite;
        let mut shelf = write(&self.world.shelf);
        let key = shelf.add(owner, stored);
        if let Some(album_key) = album {
            let viewer = Viewer {
                account,
                client: None,
            };
            if let Some(album) = shelf.album_mut(album_key, viewer) {
                album.add(key);
            }
        }
        Ok(key.id(self.world.seed))
    }

    /// Changes an item.
    ///
    /// # Errors
    /// When the item or a sample is unknown, or the base64 is broken.
    pub fn change_item(&self, id: &str, change: ItemChange) -> Result<(), EmulatorError> {
        let key = self.key("item", id)?;
        let now_ms = self.now_ms();
        let replaced = match &change.bytes {
            Some(bytes) => Some(self.stored(bytes, "")?),
            None => None,
        };
        let edited = write(&self.world.shelf).edit(key, |item| {
            if let Some(fresh) = replaced {
                item.content = fresh.content;
                item.mime = fresh.mime;
                (item.width, item.height) = (fresh.width, fresh.height);
            }
            if let Some(text) = change.description {
                item.description = (!text.is_empty()).then(|| text.into());
            }
            if let Some(name) = change.file_name {
                item.file_name = name.into();
            }
            item.archived = change.archived.unwrap_or(item.archived);
            item.favorite = change.favorite.unwrap_or(item.favorite);
            item.removed = change.removed.unwrap_or(item.removed);
            item.failed = change.failed.unwrap_or(item.failed);
            item.ready_ms = change.processing_ms.map_or(item.ready_ms, |ms| now_ms + ms);
        });
        edited.ok_or_else(|| EmulatorError::unknown("item", id))
    }

    /// Deletes an item, as a person does in Google Photos.
    ///
    /// # Errors
    /// When the item is unknown.
    pub fn remove_item(&self, id: &str) -> Result<(), EmulatorError> {
        self.change_item(
            id,
            ItemChange {
                removed: Some(true),
                ..ItemChange::default()
            },
        )
    }

    /// Adds an album of existing items, and says its id.
    ///
    /// # Errors
    /// When account, client or an item are unknown.
    pub fn add_album(
        &self,
        email: &str,
        client_id: &str,
        title: &str,
        items: &[String],
    ) -> Result<String, EmulatorError> {
        let (account, client) = self.pair(email, client_id)?;
        let mut album = Album::new(Owner { account, client }, title.to_owned());
        for id in items {
            album.add(self.key("item", id)?);
        }
        Ok(write(&self.world.shelf)
            .add_album(album)
            .id(self.world.seed))
    }

    /// The items of an account, newest first, whatever client created them; `limit` at most.
    ///
    /// # Errors
    /// When the account is unknown.
    pub fn items(&self, email: &str, limit: usize) -> Result<Vec<ItemSummary>, EmulatorError> {
        let account = read(&self.world.people).account(email);
        let account = account.ok_or_else(|| EmulatorError::unknown("account", email))?;
        let shelf = read(&self.world.shelf);
        let viewer = Viewer {
            account,
            client: None,
        };
        let places = shelf.walk(viewer, None);
        let found = places.filter_map(|place| Some((place.key, shelf.facts(place.key)?)));
        Ok(found
            .take(limit)
            .map(|(key, facts)| ItemSummary {
                id: key.id(self.world.seed),
                file_name: facts.file_name.into_owned(),
                mime: facts.mime.to_owned(),
                created_ms: facts.created_ms,
                archived: facts.archived,
            })
            .collect())
    }

    /// The bytes a base URL of the item serves now: suffix `d`, `dv`, or a size like `w256-h256`. Suffix
    /// `original` gives what was uploaded. `None` where Google answers 404.
    ///
    /// # Errors
    /// When the item or suffix is unknown, or a folder's file cannot be read.
    pub fn served_bytes(&self, id: &str, suffix: &str) -> Result<Option<Bytes>, EmulatorError> {
        let Some(served) = self.served(id, suffix)? else {
            return Ok(None);
        };
        match served.source {
            Source::Parts(parts) => Ok(Some(Bytes::from(parts.concat()))),
            Source::File(path) => match std::fs::read(&path) {
                Ok(bytes) => Ok(Some(Bytes::from(bytes))),
                Err(source) => Err(EmulatorError::File { path, source }),
            },
        }
    }

    /// Hash, length and type of what [`Control::served_bytes`] gives.
    ///
    /// # Errors
    /// See [`Control::served_bytes`].
    pub fn expected(&self, id: &str, suffix: &str) -> Result<Option<Expected>, EmulatorError> {
        let Some(served) = self.served(id, suffix)? else {
            return Ok(None);
        };
        let mut hasher = Digest::new(&SHA256);
        match &served.source {
            Source::Parts(parts) => parts.iter().for_each(|part| hasher.update(part)),
            Source::File(path) => {
                let failed = |source| EmulatorError::File {
                    path: path.clone(),
                    source,
                };
                hasher.update(&std::fs::read(path).map_err(failed)?);
            }
        }
        Ok(Some(Expected {
            sha256: hex::encode(hasher.finish()),
            bytes: served.len,
            mime: served.mime.to_owned(),
        }))
    }

    /// Ends a picking session as the person would: with these items.
    ///
    /// # Errors
    /// When the session or an item is unknown.
    pub fn pick(&self, session: &str, items: &[String]) -> Result<(), EmulatorError> {
        let keys: Result<Vec<Key>, _> = items.iter().map(|id| self.key("item", id)).collect();
        let keys = keys?;
        let mut picker = lock(&self.world.picker);
        let found = picker.sessions.get_mut(session);
        let found = found.ok_or_else(|| EmulatorError::unknown("session", session))?;
        if keys.len() as u64 > found.max_items {
            return Err(EmulatorError::Invalid(
                "more items than the session allows".to_owned(),
            ));
        }
        found.picked = Some(keys);
        Ok(())
    }

    fn served(&self, id: &str, suffix: &str) -> Result<Option<Served>, EmulatorError> {
        let key = self.key("item", id)?;
        if suffix == "original" {
            let shelf = read(&self.world.shelf);
            let found = shelf
                .facts(key)
                .map(|facts| facts.mime)
                .zip(shelf.content(key));
            return Ok(found.and_then(|(mime, content)| content::original(&content, mime)));
        }
        let suffix = suffix.trim_start_matches('=');
        let suffix =
            Suffix::parse(suffix).ok_or_else(|| EmulatorError::unknown("suffix", suffix))?;
        let found = download::find(
            &self.world,
            &self.world.switches(),
            key,
            suffix,
            self.now_ms(),
        );
        Ok(found.map(|(served, _)| served))
    }

    fn key(&self, what: &'static str, id: &str) -> Result<Key, EmulatorError> {
        let key = Key::parse(id, self.world.seed);
        let exists = |key: &Key| {
            let shelf = read(&self.world.shelf);
            if key.set() == ALBUMS {
                what == "album" && key.place() < shelf.albums.len()
            } else {
                what == "item" && shelf.owner(*key).is_some()
            }
        };
        key.filter(exists)
            .ok_or_else(|| EmulatorError::unknown(what, id))
    }

    fn stored(&self, bytes: &ItemBytes, name: &str) -> Result<StoredItem, EmulatorError> {
        let now_ms = self.now_ms();
        let mut item = match bytes {
            ItemBytes::Sample(sample_name) => {
                let sample = sample::find(sample_name);
                sample_item(sample.ok_or_else(|| EmulatorError::unknown("sample", sample_name))?)
            }
            ItemBytes::Photo(size) => self.invented(*size, false, now_ms),
            ItemBytes::Video(size) => self.invented(*size, true, now_ms),
            ItemBytes::Base64(text) => {
                let bytes = STANDARD
                    .decode(text)
                    .map_err(|error| EmulatorError::Invalid(format!("broken base64: {error}")))?;
                given(Bytes::from(bytes), name, now_ms)
            }
        };
        item.file_name = name.into();
        item.added_ms = now_ms;
        Ok(item)
    }

    fn invented(&self, size: u64, video: bool, now_ms: i64) -> StoredItem {
        // Unlike every generated set: their seeds are not this one.
        let index = lock(&self.world.uploads).next_serial();
        let seed = crate::mix::mix(self.world.seed ^ 0x1417);
        let filler = Filler {
            seed,
            index,
            size,
            video,
            created_ms: now_ms,
        };
        let (width, height) = filler.dimensions();
        let mime = if video { "video/mp4" } else { "image/jpeg" };
        StoredItem {
            width,
            height,
            content: Content::Filler(filler),
            ..blank(mime, now_ms)
        }
    }
}

fn given(bytes: Bytes, name: &str, now_ms: i64) -> StoredItem {
    let facts = probe::probe(&bytes);
    let mime = facts
        .mime
        .or_else(|| probe::mime_of_name(name))
        .unwrap_or("image/jpeg");
    let (width, height) = facts.dimensions.unwrap_or((0, 0));
    StoredItem {
        width,
        height,
        created_ms: facts.taken_ms.unwrap_or(now_ms),
        camera: facts.camera.map(Box::new),
        content: Content::Memory(bytes),
        ..blank(mime, now_ms)
    }
}

fn blank(mime: &'static str, now_ms: i64) -> StoredItem {
    StoredItem {
        created_ms: now_ms,
        added_ms: now_ms,
        file_name: "".into(),
        mime,
        width: 0,
        height: 0,
        description: None,
        camera: None,
        archived: false,
        favorite: false,
        removed: false,
        failed: false,
        ready_ms: i64::MIN,
        content: Content::Memory(Bytes::new()),
    }
}
