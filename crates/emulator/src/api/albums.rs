//! `albums`: list, get, create and patch.

use bytes::Bytes;

use super::error::ApiError;
use super::pages::{self, Cursor};
use super::render::push_album;
use super::{Context, json};
use crate::net::call::{Reply, parameter};
use crate::state::album::Album;
use crate::state::ids::{ALBUMS, Key};
use crate::state::item::Place;
use crate::state::shelf::Shelf;
use crate::sync::{read, write};

const NO_ALBUM: &str = "The provided ID does not match any albums";

/// `GET /albums`, in the order of creation.
pub(crate) fn list(context: &Context<'_>, query: &str) -> Result<Reply, ApiError> {
    const QUERY: u16 = 2;
    let size = pages::size(pages::size_parameter(query)?, 20, 50)?;
    let cursor = match parameter(query, "pageToken").filter(|token| !token.is_empty()) {
        Some(token) => Some(Cursor::parse(&token, context.world.seed, QUERY)?),
        None => None,
    };
    let shelf = read(&context.world.shelf);
    let skip = cursor.map_or(0, |cursor| cursor.place.key.place() + 1);
    let keys = (skip..shelf.albums.len()).map(|place| Key::new(ALBUMS, place as u64));
    let mut visible = keys.filter_map(|key| Some((key, shelf.album(key, context.viewer())?)));
    let mut out = String::from("{\"albums\":[");
    let mut last = None;
    for (key, album) in visible.by_ref().take(size) {
        if last.is_some() {
            out.push(',');
        }
        push(&mut out, context, &shelf, key, album);
        last = Some(key);
    }
    let Some(key) = last else {
        return Ok(super::empty());
    };
    out.push(']');
    if visible.next().is_some() {
        let place = Place { created_ms: 0, key };
        let token = Cursor {
            place,
            after_empty: false,
            query: QUERY,
        }
        .token(context.world.seed);
        out.push_str(&format!(",\"nextPageToken\":\"{token}\""));
    }
    out.push_str("}\n");
    Ok(Reply::json(200, out))
}

/// `GET /albums/{id}`
pub(crate) fn get(context: &Context<'_>, id: &str) -> Result<Reply, ApiError> {
    let shelf = read(&context.world.shelf);
    let key =
        Key::parse(id, context.world.seed).ok_or_else(|| ApiError::invalid("Invalid album ID."))?;
    let album = shelf
        .album(key, context.viewer())
        .ok_or_else(|| ApiError::not_found(NO_ALBUM))?;
    let mut out = String::new();
    push(&mut out, context, &shelf, key, album);
    Ok(Reply::json(200, out))
}

/// `POST /albums`
pub(crate) fn create(context: &Context<'_>, body: &Bytes) -> Result<Reply, ApiError> {
    let ask = json(body)?;
    let title = ask["album"]["title"].as_str().unwrap_or("").to_owned();
    if title.trim().is_empty() {
        return Err(ApiError::invalid("Request must contain an album title."));
    }
    check_title(&title)?;
    let album = Album::new(context.caller.owner(), title);
    let key = write(&context.world.shelf).add_album(album);
    get(context, &key.id(context.world.seed))
}

/// `PATCH /albums/{id}?updateMask=title|coverPhotoMediaItemId`
pub(crate) fn patch(
    context: &Context<'_>,
    id: &str,
    query: &str,
    body: &Bytes,
) -> Result<Reply, ApiError> {
    let ask = json(body)?;
    let mask = parameter(query, "updateMask").unwrap_or_default();
    let seed = context.world.seed;
    let key = Key::parse(id, seed).ok_or_else(|| ApiError::invalid("Invalid album ID."))?;
    {
        let mut shelf = write(&context.world.shelf);
        let album = shelf
            .album_mut(key, context.viewer())
            .ok_or_else(|| ApiError::not_found(NO_ALBUM))?;
        for field in mask.split(',') {
            match field.trim() {
                "title" => {
                    let title = ask["title"].as_str().unwrap_or("");
                    check_title(title)?;
                    album.title = title.to_owned();
                }
                "coverPhotoMediaItemId" => {
                    let cover = ask["coverPhotoMediaItemId"].as_str().unwrap_or("");
                    let cover = Key::parse(cover, seed).filter(|cover| album.holds(*cover));
                    album.cover = Some(cover.ok_or_else(|| {
                        ApiError::invalid("Request contains an invalid media item id.")
                    })?);
                }
                _ => {
                    return Err(ApiError::invalid(
                        "Request contains an invalid update mask.",
                    ));
                }
            }
        }
    }
    get(context, id)
}

fn check_title(title: &str) -> Result<(), ApiError> {
    if title.chars().count() <= 500 {
        return Ok(());
    }
    Err(ApiError::invalid(
        "Request contains an album title that is too long.",
    ))
}

fn push(out: &mut String, context: &Context<'_>, shelf: &Shelf, key: Key, album: &Album) {
    let count = album
        .members()
        .iter()
        .filter(|member| shelf.facts(**member).is_some())
        .count();
    let alive = |key: &Key| shelf.facts(*key).is_some();
    let cover = album
        .cover
        .filter(alive)
        .or_else(|| album.members().iter().copied().find(alive));
    push_album(out, context, key, album, (count, cover));
}
