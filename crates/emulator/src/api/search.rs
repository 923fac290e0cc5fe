//! `POST /mediaItems:search`

use bytes::Bytes;
use serde_json::Value;

use super::error::ApiError;
use super::filters::Filters;
use super::pages::{self, Cursor, fingerprint, page};
use super::{Context, json};
use crate::net::call::Reply;
use crate::state::ids::Key;
use crate::state::item::Place;
use crate::sync::read;

/// Searches an album or the library.
pub(crate) fn search(context: &Context<'_>, body: &Bytes) -> Result<Reply, ApiError> {
    let ask = json(body)?;
    let album = ask["albumId"].as_str().filter(|id| !id.is_empty());
    let filters = &ask["filters"];
    if album.is_some() && filters.is_object() {
        return Err(ApiError::invalid(
            "Request must not contain both an album ID and filters.",
        ));
    }
    let size = pages::size(number(&ask["pageSize"])?, 25, 100)?;
    let query = fingerprint(&format!("{album:?} {filters} {}", ask["orderBy"]));
    let cursor = match ask["pageToken"].as_str().filter(|token| !token.is_empty()) {
        Some(token) => Some(Cursor::parse(token, context.world.seed, query)?),
        None => None,
    };
    match album {
        Some(id) => search_album(context, id, (size, cursor, query)),
        None => search_library(context, &ask, (size, cursor, query)),
    }
}

fn search_album(
    context: &Context<'_>,
    id: &str,
    (size, cursor, query): (usize, Option<Cursor>, u16),
) -> Result<Reply, ApiError> {
    let shelf = read(&context.world.shelf);
    let album = Key::parse(id, context.world.seed)
        .and_then(|key| shelf.album(key, context.viewer()))
        .ok_or_else(|| ApiError::invalid("Invalid album ID."))?;
    // In album order. A place's time is the member's number, so that a token says where to go on.
    let skip = cursor.map_or(0, |cursor| {
        usize::try_from(cursor.place.created_ms + 1).unwrap_or(0)
    });
    let members = (0_i64..)
        .zip(album.members())
        .skip(skip)
        .map(|(number, key)| Place {
            created_ms: number,
            key: *key,
        });
    Ok(page(
        context,
        &shelf,
        members,
        |_| true,
        (size, cursor, query),
    ))
}

fn search_library(
    context: &Context<'_>,
    ask: &Value,
    (size, cursor, query): (usize, Option<Cursor>, u16),
) -> Result<Reply, ApiError> {
    let filters = Filters::parse(&ask["filters"])?;
    let oldest_first = match ask["orderBy"].as_str().unwrap_or("") {
        "" => false,
        _ if !filters.has_dates => {
            return Err(ApiError::invalid(
                "orderBy is only allowed together with a dateFilter.",
            ));
        }
        "MediaMetadata.creation_time" => true,
        "MediaMetadata.creation_time desc" => false,
        _ => return Err(ApiError::invalid("Invalid orderBy.")),
    };
    let (from_ms, to_ms) = filters.bounds();
    let newest = (to_ms < i64::MAX).then_some(Place {
        created_ms: to_ms,
        key: Key(u64::MAX),
    });
    let shelf = read(&context.world.shelf);
    let in_bounds = |place: &Place| place.created_ms >= from_ms;
    let keep = |facts: &crate::state::item::Facts<'_>| filters.keeps(facts);
    let after = cursor.map(|cursor| cursor.place);
    if oldest_first {
        let all = shelf.walk(context.viewer(), newest).take_while(in_bounds);
        let mut places: Vec<Place> = all
            .filter(|place| after.is_none_or(|after| *place < after))
            .collect();
        places.reverse();
        return Ok(page(
            context,
            &shelf,
            places.into_iter(),
            keep,
            (size, cursor, query),
        ));
    }
    let places = shelf
        .walk(context.viewer(), after.or(newest))
        .take_while(in_bounds);
    Ok(page(context, &shelf, places, keep, (size, cursor, query)))
}

/// Google takes whole numbers as numbers and as strings.
fn number(value: &Value) -> Result<Option<i64>, ApiError> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => text
            .parse()
            .map(Some)
            .map_err(|_| ApiError::invalid("Invalid pageSize.")),
        other => other
            .as_i64()
            .map(Some)
            .ok_or_else(|| ApiError::invalid("Invalid pageSize.")),
    }
}
