//! The Picker API: sessions, and the items a person picked.

use bytes::Bytes;
use serde_json::{Value, json as value};

use super::error::ApiError;
use super::pages::{Cursor, fingerprint, size_parameter};
use super::render::push_picked_url;
use super::{Context, empty, json};
use crate::clock::rfc3339;
use crate::mix::opaque;
use crate::net::call::{Call, Reply, parameter};
use crate::state::World;
use crate::state::ids::Key;
use crate::state::item::Place;
use crate::state::picker::PickSession;
use crate::state::shelf::{Shelf, Viewer};
use crate::sync::{lock, read};

const DAY_MS: i64 = 86_400_000;
/// Path of the window in which a person picks, before the session's name.
pub(crate) const PAGE: &str = "/picker/";

/// `POST /sessions`
pub(crate) fn create(context: &Context<'_>, body: &Bytes) -> Result<Reply, ApiError> {
    let ask = json(body)?;
    let most = match &ask["pickingConfig"]["maxItemCount"] {
        Value::Null => 2000,
        Value::String(text) => text.parse().unwrap_or(0),
        other => other.as_u64().unwrap_or(0),
    };
    if !(1..=2000).contains(&most) {
        return Err(ApiError::invalid(
            "maxItemCount must be between 1 and 2000.",
        ));
    }
    let mut picker = lock(&context.world.picker);
    picker.serial += 1;
    let id = opaque(context.world.seed ^ 0x9191, picker.serial, 27);
    let session = PickSession {
        account: context.caller.account,
        client: context.caller.client,
        max_items: most,
        expires_ms: context.now_ms + DAY_MS,
        picked: None,
    };
    let shown = show(&id, &session, context);
    picker.sessions.insert(id, session);
    Ok(Reply::value(200, &shown))
}

/// `GET /sessions/{id}`
pub(crate) fn get(context: &Context<'_>, id: &str) -> Result<Reply, ApiError> {
    let picker = lock(&context.world.picker);
    let session = picker
        .sessions
        .get(id)
        .filter(|session| belongs(session, context));
    let session = session.ok_or_else(no_session)?;
    Ok(Reply::value(200, &show(id, session, context)))
}

/// `DELETE /sessions/{id}`
pub(crate) fn delete(context: &Context<'_>, id: &str) -> Result<Reply, ApiError> {
    let mut picker = lock(&context.world.picker);
    if !picker
        .sessions
        .get(id)
        .is_some_and(|session| belongs(session, context))
    {
        return Err(no_session());
    }
    picker.sessions.remove(id);
    Ok(empty())
}

/// `GET /mediaItems?sessionId=`
pub(crate) fn list(context: &Context<'_>, query: &str) -> Result<Reply, ApiError> {
    let id = parameter(query, "sessionId").unwrap_or_default();
    let picker = lock(&context.world.picker);
    let session = picker
        .sessions
        .get(&id)
        .filter(|session| belongs(session, context));
    let session = session.ok_or_else(no_session)?;
    let Some(picked) = &session.picked else {
        return Err(ApiError::precondition(
            "The user has not picked any media items yet.",
        ));
    };
    // Above 100 is coerced, not refused.
    let size = match size_parameter(query)? {
        None | Some(0) => 50,
        Some(asked) => usize::try_from(asked)
            .map_err(|_| ApiError::invalid("Invalid pageSize."))?
            .min(100),
    };
    let seed = context.world.seed;
    let mark = fingerprint(&id);
    let cursor = match parameter(query, "pageToken").filter(|token| !token.is_empty()) {
        Some(token) => Some(Cursor::parse(&token, seed, mark)?),
        None => None,
    };
    let token_at = |created_ms: i64, after_empty: bool| {
        let place = Place {
            created_ms,
            key: Key(0),
        };
        Cursor {
            place,
            after_empty,
            query: mark,
        }
        .token(seed)
    };
    let start = cursor.map_or(0, |cursor| cursor.place.created_ms);
    if context.switches.empty_pages && !cursor.is_some_and(|cursor| cursor.after_empty) {
        return Ok(Reply::value(
            200,
            &value!({"nextPageToken": token_at(start, true)}),
        ));
    }
    let skip = usize::try_from(start).unwrap_or(0);
    let shelf = read(&context.world.shelf);
    let page = picked.iter().skip(skip).take(size);
    let items: Vec<Value> = page.filter_map(|key| item(context, &shelf, *key)).collect();
    let mut out = value!({"mediaItems": items});
    if skip + size < picked.len() {
        let next = i64::try_from(skip + size).unwrap_or(i64::MAX);
        out["nextPageToken"] = token_at(next, false).into();
    }
    Ok(Reply::value(200, &out))
}

/// Picked items have ids of their own, or those of the Library API.
fn id_seed(context: &Context<'_>) -> u64 {
    if context.switches.picker_own_ids {
        context.world.seed ^ 0x7069_636b
    } else {
        context.world.seed
    }
}

fn belongs(session: &PickSession, context: &Context<'_>) -> bool {
    session.account == context.caller.account
        && session.client == context.caller.client
        && session.expires_ms > context.now_ms
}

fn no_session() -> ApiError {
    ApiError::not_found("Requested entity was not found.")
}

/// On the emulator's own address, where there is somebody to pick: [`page`].
fn picker_uri(id: &str, context: &Context<'_>) -> String {
    if context.own_base.ends_with("googleapis.com") {
        format!("https://photos.google.com/picker/{id}")
    } else {
        format!("{}{PAGE}{id}", context.own_base)
    }
}

/// The window in which a person picks: `GET` shows it, `POST` with `newest=N` picks that many of the account's items, whichever
/// app made them.
pub(crate) fn page(world: &World, call: &Call, id: &str, form: &str) -> Reply {
    let id = id.trim_end_matches("/autoclose");
    let mut picker = lock(&world.picker);
    let now_ms = world.clock.now_ms();
    let session = picker.sessions.get_mut(id);
    let Some(session) = session.filter(|session| session.expires_ms > now_ms) else {
        return Reply::html(404, window("<h1>This session has ended</h1>"));
    };
    if session.picked.is_some() {
        return Reply::html(
            200,
            window("<h1>Done</h1><p>You can close this window.</p>"),
        );
    }
    let viewer = Viewer {
        account: session.account,
        client: None,
    };
    let shelf = read(&world.shelf);
    if call.head.method == http::Method::POST {
        let newest = parameter(form, "newest").and_then(|text| text.parse().ok());
        let most = usize::try_from(session.max_items).unwrap_or(usize::MAX);
        let places = shelf
            .walk(viewer, None)
            .take(newest.unwrap_or(most).min(most));
        session.picked = Some(places.map(|place| place.key).collect());
        return Reply::html(
            200,
            window("<h1>Done</h1><p>You can close this window.</p>"),
        );
    }
    let there = shelf.walk(viewer, None).count();
    Reply::html(
        200,
        window(&format!(
            "<h1>Choose photos</h1><form method=\"post\"><label>The newest <input name=\"newest\" type=\"number\" min=\"1\" \
             value=\"{there}\"></label> of {there} <button>Done</button></form>\
             <p>This is the Google Photos emulator, not Google.</p>"
        )),
    )
}

fn window(body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Google Photos (emulator)</title><body>{body}</body></html>"
    )
}

fn show(id: &str, session: &PickSession, context: &Context<'_>) -> Value {
    let done = session.picked.is_some();
    let mut out = value!({
        "id": id,
        "pickerUri": picker_uri(id, context),
        "expireTime": rfc3339(session.expires_ms),
        "mediaItemsSet": done,
        "pickingConfig": {"maxItemCount": session.max_items.to_string()},
    });
    if !done {
        let left = (session.expires_ms - context.now_ms) / 1000;
        out["pollingConfig"] = value!({"pollInterval": "5s", "timeoutIn": format!("{left}s")});
    }
    out
}

fn item(context: &Context<'_>, shelf: &Shelf, key: Key) -> Option<Value> {
    let facts = shelf.facts(key)?;
    let mut base_url = String::new();
    push_picked_url(&mut base_url, context, key);
    let mut metadata = value!({"width": facts.width, "height": facts.height});
    if let Some(camera) = facts.camera {
        metadata["cameraMake"] = camera.make.as_str().into();
        metadata["cameraModel"] = camera.model.as_str().into();
    }
    let kind = if facts.is_video() {
        metadata["videoMetadata"] =
            value!({"fps": 10, "processingStatus": facts.status(context.now_ms)});
        "VIDEO"
    } else {
        metadata["photoMetadata"] = value!({});
        "PHOTO"
    };
    Some(value!({
        "id": key.id(id_seed(context)),
        "createTime": rfc3339(facts.created_ms),
        "type": kind,
        "mediaFile": {
            "baseUrl": base_url,
            "mimeType": facts.mime,
            "filename": facts.file_name,
            "mediaFileMetadata": metadata,
        },
    }))
}
