//! `POST /mediaItems:batchCreate`: makes items of upload tokens, each with its own status.

use bytes::Bytes;
use serde_json::{Value, json as value};

use super::error::ApiError;
use super::media_items::check_description;
use super::render::{push_created, push_text};
use super::{Context, json};
use crate::faults::{Effect, Subject};
use crate::kind::CallKind;
use crate::net::call::Reply;
use crate::serving::probe;
use crate::state::ids::Key;
use crate::state::item::{Content, StoredItem};
use crate::state::uploads::Uploaded;
use crate::switches::Replay;
use crate::sync::{lock, read, write};

const FAILED: &str = "Failed: There was an error while trying to create this media item.";
const NO_TOKEN: &str = "Request must contain a valid upload token.";
const FULL: &str =
    "The remaining storage in the user's account is not enough to perform this operation.";

/// One new item as it was asked for.
struct Wanted {
    token: String,
    name: String,
    description: String,
}

/// Why one item was not made.
struct Refused {
    code: u32,
    message: &'static str,
}

const fn refused(code: u32, message: &'static str) -> Refused {
    Refused { code, message }
}

/// Creates up to 50 items.
pub(crate) fn batch_create(context: &Context<'_>, body: &Bytes) -> Result<Reply, ApiError> {
    let ask = json(body)?;
    let wanted = wanted(&ask)?;
    let album = writable_album(context, &ask)?;
    for item in &wanted {
        if let Some(Effect::BatchPoison { code }) = fault(context, &item.name) {
            return Err(ApiError::of_status(code, None));
        }
    }
    if !storage_suffices(context, &wanted) {
        return Err(ApiError::invalid(FULL));
    }
    let mut out = String::from("{\"newMediaItemResults\":[");
    let mut failures = 0;
    for (number, item) in wanted.iter().enumerate() {
        if number > 0 {
            out.push(',');
        }
        out.push_str("{\"uploadToken\":");
        push_text(&mut out, &item.token);
        match create(context, item).and_then(|key| add_to_album(context, album, key)) {
            Ok(key) => {
                out.push_str(",\"status\":{\"message\":\"Success\"},\"mediaItem\":");
                let shelf = read(&context.world.shelf);
                if let Some(facts) = shelf.facts(key) {
                    push_created(&mut out, context, key, &facts);
                } else {
                    out.push_str("{}");
                }
                out.push('}');
            }
            Err(refused) => {
                failures += 1;
                let status = value!({"code": refused.code, "message": refused.message});
                out.push_str(&format!(",\"status\":{status}}}"));
            }
        }
    }
    out.push_str("]}\n");
    let status = if failures == 0 {
        200
    } else {
        context.switches.batch_partial_status
    };
    let mut reply = Reply::json(status, out);
    reply.items = u32::try_from(wanted.len()).unwrap_or(u32::MAX);
    Ok(reply)
}

fn wanted(ask: &Value) -> Result<Vec<Wanted>, ApiError> {
    let items = ask["newMediaItems"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    if items.is_empty() || items.len() > 50 {
        return Err(ApiError::invalid(
            "Request must contain between 1 and 50 new media items.",
        ));
    }
    items.iter().map(one).collect()
}

fn one(item: &Value) -> Result<Wanted, ApiError> {
    let simple = &item["simpleMediaItem"];
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let one = Wanted {
        token: text(&simple["uploadToken"]),
        name: text(&simple["fileName"]),
        description: text(&item["description"]),
    };
    if one.token.is_empty() {
        return Err(ApiError::invalid(NO_TOKEN));
    }
    if one.name.chars().count() > 255 {
        return Err(ApiError::invalid(
            "Request contains a file name that is too long.",
        ));
    }
    check_description(&one.description)?;
    Ok(one)
}

fn writable_album(context: &Context<'_>, ask: &Value) -> Result<Option<Key>, ApiError> {
    let Some(id) = ask["albumId"].as_str().filter(|id| !id.is_empty()) else {
        return Ok(None);
    };
    let key =
        Key::parse(id, context.world.seed).ok_or_else(|| ApiError::invalid("Invalid album ID."))?;
    let shelf = read(&context.world.shelf);
    match shelf.album(key, context.viewer()) {
        Some(album) if album.owner == context.caller.owner() => Ok(Some(key)),
        _ => Err(ApiError::invalid(
            "No permission to add media items to this album.",
        )),
    }
}

fn fault(context: &Context<'_>, name: &str) -> Option<Effect> {
    let subject = Subject {
        kind: CallKind::BatchCreate,
        item: None,
        project: None,
        file_name: Some(name),
    };
    context.world.faults.hit(&subject)
}

fn storage_suffices(context: &Context<'_>, wanted: &[Wanted]) -> bool {
    let Some(left) = context.switches.storage_left else {
        return true;
    };
    let uploads = lock(&context.world.uploads);
    let tokens = wanted
        .iter()
        .filter_map(|item| uploads.tokens.get(&item.token));
    let needed: u64 = tokens
        .filter(|found| found.used.is_none())
        .map(|found| found.len)
        .sum();
    // An account that is full refuses everything.
    left > 0 && needed <= left
}

fn create(context: &Context<'_>, wanted: &Wanted) -> Result<Key, Refused> {
    if let Some(Effect::BatchItem { code }) = fault(context, &wanted.name) {
        let message = match code {
            6 => "Failed: The media item already exists.",
            8 => "Quota exceeded for this user.",
            _ => FAILED,
        };
        return Err(refused(code, message));
    }
    let switches = context.switches;
    let mut uploads = lock(&context.world.uploads);
    let upload = uploads.tokens.get_mut(&wanted.token).filter(|upload| {
        let ours =
            upload.account == context.caller.account && upload.client == context.caller.client;
        ours && context.now_ms - upload.issued_ms < switches.upload_token_ttl_ms
    });
    let upload = upload.ok_or(refused(3, NO_TOKEN))?;
    if let Some(key) = upload.used {
        match switches.token_replay {
            Replay::SameId => return Ok(key),
            Replay::AlreadyExists => return Err(refused(6, "ALREADY_EXISTS")),
            Replay::Duplicate => {}
        }
    }
    let item = stored(context, wanted, upload).ok_or(refused(3, FAILED))?;
    let owner = context.caller.owner();
    let mut shelf = write(&context.world.shelf);
    let known = shelf.by_hash.get(&(owner, upload.sha256)).copied();
    let twin = known.and_then(|key| Some((key, shelf.facts(key)?.added_ms)));
    if let Some((key, added_ms)) = twin
        && upload.used.is_none()
    {
        let close = context.now_ms - added_ms < switches.identical_close_ms;
        if close || switches.identical_bytes == Replay::AlreadyExists {
            return Err(refused(6, "ALREADY_EXISTS"));
        }
        if switches.identical_bytes == Replay::SameId {
            upload.used = Some(key);
            return Ok(key);
        }
    }
    let key = shelf.add(owner, item);
    shelf.by_hash.entry((owner, upload.sha256)).or_insert(key);
    upload.used.get_or_insert(key);
    let len = upload.len;
    drop(shelf);
    drop(uploads);
    use_storage(context, len);
    Ok(key)
}

fn use_storage(context: &Context<'_>, bytes: u64) {
    let mut now = (*context.world.switches()).clone();
    if let Some(left) = now.storage_left {
        now.storage_left = Some(left.saturating_sub(bytes));
        context.world.set_switches(now);
    }
}

/// The item an upload becomes; `None` when its type is not accepted or it is too large.
fn stored(context: &Context<'_>, wanted: &Wanted, upload: &Uploaded) -> Option<StoredItem> {
    let facts = probe::probe(&upload.bytes);
    let given = Some(wanted.name.as_str()).filter(|name| !name.is_empty());
    let name = given.or(upload.file_name.as_deref()).unwrap_or("");
    let declared = upload.mime.as_deref().and_then(|mime| {
        let extension = mime.split_once('/').map_or("", |(_, kind)| kind);
        probe::mime_of_name(&format!("x.{extension}"))
    });
    let mime = probe::mime_of_name(name).or(declared).or(facts.mime)?;
    let is_video = mime.starts_with("video/");
    let switches = context.switches;
    let most = if is_video {
        switches.max_video_bytes
    } else {
        switches.max_photo_bytes
    };
    if upload.len > most {
        return None;
    }
    let (width, height) = facts.dimensions.unwrap_or((0, 0));
    let content = if switches.forget_uploads {
        Content::Forgotten
    } else {
        Content::Memory(upload.bytes.clone())
    };
    let delay = if is_video {
        switches.video_processing_ms
    } else {
        0
    };
    Some(StoredItem {
        created_ms: facts.taken_ms.unwrap_or(context.now_ms),
        added_ms: context.now_ms,
        file_name: name.into(),
        mime: if is_video {
            mime
        } else {
            facts.mime.unwrap_or(mime)
        },
        width,
        height,
        description: (!wanted.description.is_empty()).then(|| wanted.description.as_str().into()),
        camera: facts.camera.map(Box::new),
        archived: false,
        favorite: false,
        removed: false,
        failed: false,
        ready_ms: context.now_ms + delay,
        content,
    })
}

fn add_to_album(context: &Context<'_>, album: Option<Key>, item: Key) -> Result<Key, Refused> {
    let Some(album) = album else { return Ok(item) };
    let mut shelf = write(&context.world.shelf);
    let Some(album) = shelf.album_mut(album, context.viewer()) else {
        return Ok(item);
    };
    if album.members().len() >= context.switches.max_album_items && !album.holds(item) {
        return Err(refused(8, "The album holds the most items it can."));
    }
    album.add(item);
    Ok(item)
}
