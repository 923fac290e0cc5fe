//! `mediaItems`: list, get, batchGet and patch.

use std::collections::HashSet;

use bytes::Bytes;

use super::error::ApiError;
use super::pages::{self, Cursor, page};
use super::render::{ITEM_LENGTH, push_item};
use super::{Context, json};
use crate::net::call::{Reply, parameter};
use crate::state::ids::Key;
use crate::sync::{read, write};

const INVALID_ID: &str = "Request contains an invalid media item id.";

/// `GET /mediaItems`
pub(crate) fn list(context: &Context<'_>, query: &str) -> Result<Reply, ApiError> {
    const QUERY: u16 = 1;
    let size = pages::size(pages::size_parameter(query)?, 25, 100)?;
    let cursor = match parameter(query, "pageToken").filter(|token| !token.is_empty()) {
        Some(token) => Some(Cursor::parse(&token, context.world.seed, QUERY)?),
        None => None,
    };
    let shelf = read(&context.world.shelf);
    let places = shelf.walk(context.viewer(), cursor.map(|cursor| cursor.place));
    let archived = context.switches.list_includes_archived;
    let keep = |facts: &crate::state::item::Facts<'_>| archived || !facts.archived;
    Ok(page(context, &shelf, places, keep, (size, cursor, QUERY)))
}

/// `GET /mediaItems/{id}`
pub(crate) fn get(context: &Context<'_>, id: &str) -> Result<Reply, ApiError> {
    let key = Key::parse(id, context.world.seed).ok_or_else(|| ApiError::invalid(INVALID_ID))?;
    let shelf = read(&context.world.shelf);
    let facts = shelf
        .seen(key, context.viewer())
        .ok_or_else(|| ApiError::not_found("Requested entity was not found."))?;
    let mut out = String::with_capacity(ITEM_LENGTH);
    push_item(&mut out, context, key, &facts);
    Ok(Reply::json(200, out))
}

/// `GET /mediaItems:batchGet`
pub(crate) fn batch_get(context: &Context<'_>, query: &str) -> Result<Reply, ApiError> {
    let ids: Vec<_> = url::form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name == "mediaItemIds")
        .map(|(_, id)| id)
        .collect();
    if ids.is_empty() || ids.len() > 50 {
        return Err(ApiError::invalid(
            "Request must contain between 1 and 50 media item ids.",
        ));
    }
    if ids.iter().collect::<HashSet<_>>().len() < ids.len() {
        return Err(ApiError::invalid(
            "Request must not contain duplicate media item ids.",
        ));
    }
    let shelf = read(&context.world.shelf);
    let viewer = context.viewer();
    let mut out = String::with_capacity(ids.len() * ITEM_LENGTH + 64);
    out.push_str("{\"mediaItemResults\":[");
    for (number, id) in ids.iter().enumerate() {
        if number > 0 {
            out.push(',');
        }
        let key = Key::parse(id, context.world.seed);
        match key.and_then(|key| Some((key, shelf.seen(key, viewer)?))) {
            Some((key, facts)) => {
                out.push_str("{\"mediaItem\":");
                push_item(&mut out, context, key, &facts);
                out.push('}');
            }
            None if key.is_some() => {
                out.push_str("{\"status\":{\"code\":5,\"message\":\"NOT_FOUND\"}}");
            }
            None => {
                out.push_str("{\"status\":{\"code\":3,\"message\":\"Invalid media item ID.\"}}");
            }
        }
    }
    out.push_str("]}\n");
    Ok(Reply::json(200, out))
}

/// `PATCH /mediaItems/{id}?updateMask=description`
pub(crate) fn patch(
    context: &Context<'_>,
    id: &str,
    query: &str,
    body: &Bytes,
) -> Result<Reply, ApiError> {
    if parameter(query, "updateMask").as_deref() != Some("description") {
        return Err(ApiError::invalid(
            "Request contains an invalid update mask.",
        ));
    }
    let description = json(body)?["description"].as_str().unwrap_or("").to_owned();
    check_description(&description)?;
    let key = Key::parse(id, context.world.seed).ok_or_else(|| ApiError::invalid(INVALID_ID))?;
    {
        let mut shelf = write(&context.world.shelf);
        if shelf.seen(key, context.viewer()).is_none() {
            return Err(ApiError::denied("The caller does not have permission"));
        }
        shelf.edit(key, |item| {
            item.description = (!description.is_empty()).then(|| description.into());
        });
    }
    get(context, id)
}

/// Descriptions must be shorter than 1000 characters.
pub(crate) fn check_description(text: &str) -> Result<(), ApiError> {
    if text.chars().count() < 1000 {
        return Ok(());
    }
    Err(ApiError::invalid(
        "Request contains a description that is too long.",
    ))
}
