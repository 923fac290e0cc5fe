//! Album membership and enrichments.

use std::collections::HashSet;

use bytes::Bytes;
use serde_json::json as value;

use super::error::ApiError;
use super::{Context, empty, json};
use crate::mix::opaque;
use crate::net::call::Reply;
use crate::state::ids::Key;
use crate::sync::write;

const INVALID_ITEM: &str = "Request contains an invalid media item id.";

/// `POST /albums/{id}:batchAddMediaItems`
pub(crate) fn add(context: &Context<'_>, id: &str, body: &Bytes) -> Result<Reply, ApiError> {
    let album_key = album_key(context, id)?;
    let keys = item_keys(context, body)?;
    let viewer = context.viewer();
    let mut shelf = write(&context.world.shelf);
    if keys.iter().any(|key| shelf.seen(*key, viewer).is_none()) {
        return Err(ApiError::invalid(INVALID_ITEM));
    }
    let album = shelf
        .album_mut(album_key, viewer)
        .ok_or_else(no_permission)?;
    let fresh = keys.iter().filter(|key| !album.holds(**key)).count();
    if album.members().len() + fresh > context.switches.max_album_items {
        return Err(ApiError::invalid("The album holds the most items it can."));
    }
    for key in keys {
        album.add(key);
    }
    Ok(empty())
}

/// `POST /albums/{id}:batchRemoveMediaItems`: all or nothing, and no repeats.
pub(crate) fn remove(context: &Context<'_>, id: &str, body: &Bytes) -> Result<Reply, ApiError> {
    let album_key = album_key(context, id)?;
    let keys = item_keys(context, body)?;
    let distinct: HashSet<Key> = keys.iter().copied().collect();
    if distinct.len() < keys.len() {
        return Err(ApiError::invalid(
            "Request must not contain duplicate media item ids.",
        ));
    }
    let mut shelf = write(&context.world.shelf);
    let album = shelf
        .album_mut(album_key, context.viewer())
        .ok_or_else(no_permission)?;
    if keys.iter().any(|key| !album.holds(*key)) {
        return Err(ApiError::invalid(INVALID_ITEM));
    }
    album.remove(&distinct);
    Ok(empty())
}

/// `POST /albums/{id}:addEnrichment`
pub(crate) fn enrich(context: &Context<'_>, id: &str, body: &Bytes) -> Result<Reply, ApiError> {
    let ask = json(body)?;
    let key = album_key(context, id)?;
    let new = &ask["newEnrichmentItem"];
    let kinds = ["textEnrichment", "locationEnrichment", "mapEnrichment"];
    if kinds.iter().filter(|kind| new[**kind].is_object()).count() != 1 {
        return Err(ApiError::invalid(
            "Request must contain exactly one enrichment.",
        ));
    }
    let mut shelf = write(&context.world.shelf);
    let album = shelf
        .album_mut(key, context.viewer())
        .ok_or_else(no_permission)?;
    album.enrichments += 1;
    let id = opaque(context.world.seed ^ key.0, album.enrichments, 42);
    Ok(Reply::value(200, &value!({"enrichmentItem": {"id": id}})))
}

fn album_key(context: &Context<'_>, id: &str) -> Result<Key, ApiError> {
    Key::parse(id, context.world.seed).ok_or_else(|| ApiError::invalid("Invalid album ID."))
}

fn no_permission() -> ApiError {
    ApiError::invalid("No permission to add media items to this album.")
}

fn item_keys(context: &Context<'_>, body: &Bytes) -> Result<Vec<Key>, ApiError> {
    let ask = json(body)?;
    let ids = ask["mediaItemIds"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    if ids.is_empty() || ids.len() > 50 {
        return Err(ApiError::invalid(
            "Request must contain between 1 and 50 media item ids.",
        ));
    }
    let seed = context.world.seed;
    ids.iter()
        .map(|id| id.as_str().and_then(|id| Key::parse(id, seed)))
        .map(|key| key.ok_or_else(|| ApiError::invalid(INVALID_ITEM)))
        .collect()
}
