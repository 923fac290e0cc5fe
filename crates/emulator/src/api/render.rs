//! Writes items and albums as Google does: by hand, because a listing page holds a hundred of them.

use super::Context;
use crate::clock::push_rfc3339;
use crate::serving::base_url::{self, Ticket};
use crate::state::album::Album;
use crate::state::ids::Key;
use crate::state::item::{Camera, Facts};

/// About as long as one item is in JSON.
pub(crate) const ITEM_LENGTH: usize = 640;

/// Appends a `MediaItem`.
pub(crate) fn push_item(out: &mut String, context: &Context<'_>, key: Key, facts: &Facts<'_>) {
    push_item_start(out, context, key, facts);
    out.push_str("\",\"baseUrl\":\"");
    push_base_url(out, context, key);
    push_item_end(out, context, facts);
}

/// Appends a `MediaItem` without `baseUrl`, as `batchCreate` answers it.
pub(crate) fn push_created(out: &mut String, context: &Context<'_>, key: Key, facts: &Facts<'_>) {
    push_item_start(out, context, key, facts);
    push_item_end(out, context, facts);
}

fn push_item_start(out: &mut String, context: &Context<'_>, key: Key, facts: &Facts<'_>) {
    let seed = context.world.seed;
    out.push_str("{\"id\":\"");
    key.push_id(seed, out);
    if let Some(description) = facts.description {
        out.push_str("\",\"description\":");
        push_text(out, description);
        out.push_str(",\"productUrl\":\"https://photos.google.com/lr/photo/");
    } else {
        out.push_str("\",\"productUrl\":\"https://photos.google.com/lr/photo/");
    }
    key.push_id(seed, out);
}

fn push_item_end(out: &mut String, context: &Context<'_>, facts: &Facts<'_>) {
    out.push_str("\",\"mimeType\":\"");
    out.push_str(facts.mime);
    out.push_str("\",\"mediaMetadata\":{\"creationTime\":\"");
    push_rfc3339(out, facts.created_ms);
    out.push('"');
    if facts.width > 0 {
        out.push_str(",\"width\":\"");
        push_number(out, facts.width.into());
        out.push_str("\",\"height\":\"");
        push_number(out, facts.height.into());
        out.push('"');
    }
    if facts.is_video() {
        out.push_str(",\"video\":{");
        if let Some(camera) = facts.camera {
            push_maker(out, camera);
            out.push(',');
        }
        let status = facts.status(context.now_ms);
        if status == "READY" {
            out.push_str("\"fps\":10,");
        }
        out.push_str("\"status\":\"");
        out.push_str(status);
        out.push_str("\"}");
    } else {
        out.push_str(",\"photo\":{");
        if let Some(camera) = facts.camera {
            push_camera(out, camera);
        }
        out.push('}');
    }
    out.push_str("},\"filename\":");
    push_text(out, &facts.file_name);
    out.push('}');
}

fn push_maker(out: &mut String, camera: &Camera) {
    out.push_str("\"cameraMake\":");
    push_text(out, &camera.make);
    out.push_str(",\"cameraModel\":");
    push_text(out, &camera.model);
}

fn push_camera(out: &mut String, camera: &Camera) {
    push_maker(out, camera);
    if let Some(length) = camera.focal_length {
        out.push_str(&format!(",\"focalLength\":{length}"));
    }
    if let Some(aperture) = camera.aperture {
        out.push_str(&format!(",\"apertureFNumber\":{aperture}"));
    }
    if let Some(iso) = camera.iso {
        out.push_str(&format!(",\"isoEquivalent\":{iso}"));
    }
    if let Some(exposure) = &camera.exposure {
        out.push_str(&format!(",\"exposureTime\":\"{exposure}\""));
    }
}

/// Appends a base URL without its suffix.
pub(crate) fn push_base_url(out: &mut String, context: &Context<'_>, key: Key) {
    push_url(out, context, key, false);
}

/// Appends a base URL of an item that was picked, without its suffix.
pub(crate) fn push_picked_url(out: &mut String, context: &Context<'_>, key: Key) {
    push_url(out, context, key, true);
}

fn push_url(out: &mut String, context: &Context<'_>, key: Key, picked: bool) {
    out.push_str(context.media_base);
    let ticket = Ticket {
        key,
        issued_ms: context.now_ms,
        picked,
    };
    base_url::push_word(out, ticket, context.world.seed);
}

/// Appends an `Album`; `count` is how many of its items exist, `cover` the item on it.
pub(crate) fn push_album(
    out: &mut String,
    context: &Context<'_>,
    key: Key,
    album: &Album,
    (count, cover): (usize, Option<Key>),
) {
    let seed = context.world.seed;
    out.push_str("{\"id\":\"");
    key.push_id(seed, out);
    out.push('"');
    if !album.title.is_empty() {
        out.push_str(",\"title\":");
        push_text(out, &album.title);
    }
    out.push_str(",\"productUrl\":\"https://photos.google.com/lr/album/");
    key.push_id(seed, out);
    out.push_str("\",\"isWriteable\":true");
    if count > 0 {
        out.push_str(",\"mediaItemsCount\":\"");
        push_number(out, count as u64);
        out.push('"');
    }
    if let Some(cover) = cover {
        out.push_str(",\"coverPhotoBaseUrl\":\"");
        push_base_url(out, context, cover);
        out.push_str("\",\"coverPhotoMediaItemId\":\"");
        cover.push_id(seed, out);
        out.push('"');
    }
    out.push('}');
}

/// Appends a JSON string; plain ASCII goes in as it is.
pub(crate) fn push_text(out: &mut String, text: &str) {
    let plain = text
        .bytes()
        .all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\');
    if plain {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&serde_json::Value::from(text).to_string());
    }
}

fn push_number(out: &mut String, mut value: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(value % 10).unwrap_or(0);
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.push_str(std::str::from_utf8(&digits[at..]).unwrap_or("0"));
}
