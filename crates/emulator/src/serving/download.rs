//! Base URLs: expiry, HEAD, ranges, and the errors that are not JSON.

use std::sync::atomic::Ordering;

use http::{HeaderName, StatusCode, header};

use super::base_url::Ticket;
use super::body::Body;
use super::content::{self, Served, Suffix};
use crate::kind::CallKind;
use crate::library::sample::TINY;
use crate::net::call::{Call, Reply};
use crate::state::World;
use crate::state::ids::Key;
use crate::switches::Switches;
use crate::sync::read;

const EXPIRED: &str = "<!DOCTYPE html><html lang=en><meta charset=utf-8><title>Error 403 (Forbidden)!!1</title>\
    <p><b>403.</b> <ins>That\u{2019}s an error.</ins><p>Your client does not have permission to get URL from this server. \
    <ins>That\u{2019}s all we know.</ins>";

/// The reply of a base URL, and where its range begins.
pub(crate) struct Loaded {
    pub(crate) reply: Reply,
    pub(crate) range_start: Option<u64>,
}

impl From<Reply> for Loaded {
    fn from(reply: Reply) -> Self {
        Self {
            reply,
            range_start: None,
        }
    }
}

/// Serves a base URL whose word was understood.
pub(crate) async fn load(
    world: &World,
    switches: &Switches,
    call: &Call,
    kind: CallKind,
    (ticket, suffix): (Ticket, Option<Suffix>),
) -> Loaded {
    let now_ms = world.clock.now_ms();
    let age = now_ms - ticket.issued_ms;
    let too_old = age >= switches.base_url_ttl_ms
        || ticket.issued_ms < world.urls_valid_from.load(Ordering::Relaxed);
    let Some(suffix) = suffix.filter(|_| !too_old) else {
        return forbidden().into();
    };
    if kind == CallKind::DownloadHead && !switches.head {
        return Reply::html(405, "<!DOCTYPE html><title>Error 405</title>").into();
    }
    let Some((served, name)) = find(world, switches, ticket.key, suffix, now_ms) else {
        return missing().into();
    };
    send(switches, call, kind, served, &name).await
}

/// What an item's base URL would serve with a suffix.
pub(crate) fn find(
    world: &World,
    switches: &Switches,
    key: Key,
    suffix: Suffix,
    now_ms: i64,
) -> Option<(Served, String)> {
    let shelf = read(&world.shelf);
    let facts = shelf.facts(key)?;
    let content = shelf.content(key)?;
    let served = content::served(&content, &facts, suffix, switches, now_ms)?;
    Some((served, facts.file_name.into_owned()))
}

pub(super) async fn send(
    switches: &Switches,
    call: &Call,
    kind: CallKind,
    served: Served,
    name: &str,
) -> Loaded {
    let whole = served.len;
    let range = call
        .header("range")
        .filter(|_| switches.range)
        .and_then(|text| parse_range(text, whole));
    let (status, start, len) = match range {
        None => (200, 0, whole),
        Some(Ok((start, end))) => (206, start, end - start + 1),
        Some(Err(())) => {
            let reply = Reply::html(416, "<!DOCTYPE html><title>Error 416</title>")
                .header(header::CONTENT_RANGE, &format!("bytes */{whole}"));
            return reply.into();
        }
    };
    let mime = served.mime;
    let body = if kind == CallKind::DownloadHead {
        Body::empty()
    } else {
        match Body::of(served, start, len).await {
            Ok(body) => body,
            Err(_) => return missing().into(),
        }
    };
    // Control characters and quotes have no place in a header.
    let safe: String = name
        .chars()
        .filter(|letter| (' '..='~').contains(letter) && *letter != '"')
        .collect();
    let mut reply = Reply::new(status, mime, "")
        .header(
            header::CONTENT_DISPOSITION,
            &format!("inline;filename=\"{safe}\""),
        )
        .header(
            header::CACHE_CONTROL,
            "private, max-age=86400, no-transform",
        )
        .header(HeaderName::from_static("x-content-type-options"), "nosniff");
    if switches.range {
        reply = reply.header(header::ACCEPT_RANGES, "bytes");
    }
    if status == 206 {
        let last = start + len - 1;
        reply = reply.header(
            header::CONTENT_RANGE,
            &format!("bytes {start}-{last}/{whole}"),
        );
    }
    if kind == CallKind::DownloadHead {
        reply = reply.header(header::CONTENT_LENGTH, &len.to_string());
    }
    reply.body = body;
    Loaded {
        reply,
        range_start: (status == 206).then_some(start),
    }
}

/// `Some(Ok)` for one satisfiable range, `Some(Err)` for one that is not, `None` for what is to be ignored.
fn parse_range(text: &str, whole: u64) -> Option<Result<(u64, u64), ()>> {
    let (start, end) = text.strip_prefix("bytes=")?.split_once('-')?;
    let last = whole.checked_sub(1)?;
    if start.is_empty() {
        let tail: u64 = end.parse().ok()?;
        return Some(if tail == 0 {
            Err(())
        } else {
            Ok((whole.saturating_sub(tail), last))
        });
    }
    let start: u64 = start.parse().ok()?;
    let end: u64 = if end.is_empty() {
        last
    } else {
        end.parse().ok()?
    };
    if end < start && start <= last {
        return None;
    }
    Some(if start > last {
        Err(())
    } else {
        Ok((start, end.min(last)))
    })
}

/// The HTML 403 of an expired base URL, or one without a suffix.
pub(crate) fn forbidden() -> Reply {
    Reply::html(403, EXPIRED)
}

/// The 404 that carries a picture.
pub(crate) fn missing() -> Reply {
    Reply::new(404, "image/jpeg", TINY.0)
}

/// An error in the manner of base URLs: 429 is plain, others are HTML.
pub(crate) fn error(status: u16) -> Reply {
    match status {
        403 => forbidden(),
        404 => missing(),
        429 => Reply::text(429, "Rate limit exceeded"),
        _ => {
            let reason = StatusCode::from_u16(status)
                .ok()
                .and_then(|code| code.canonical_reason());
            let reason = reason.unwrap_or("Error");
            Reply::html(
                status,
                format!("<!DOCTYPE html><title>Error {status} ({reason})</title>"),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_http_says() {
        assert_eq!(parse_range("bytes=0-9", 100), Some(Ok((0, 9))));
        assert_eq!(parse_range("bytes=90-", 100), Some(Ok((90, 99))));
        assert_eq!(parse_range("bytes=-10", 100), Some(Ok((90, 99))));
        assert_eq!(parse_range("bytes=50-500", 100), Some(Ok((50, 99))));
        assert_eq!(parse_range("bytes=100-", 100), Some(Err(())));
        assert_eq!(parse_range("items=0-9", 100), None);
    }
}
