//! Pages: sizes, tokens, and the odd pages Google sometimes answers.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Context;
use super::error::ApiError;
use super::render::{ITEM_LENGTH, push_item};
use crate::mix::{below, mix, mix2};
use crate::net::call::Reply;
use crate::state::ids::Key;
use crate::state::item::{Facts, Place};
use crate::state::shelf::Shelf;

const TOKEN_BYTES: usize = 27;

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) place: Place,
    /// The page before was an empty one, so this one is not.
    pub(crate) after_empty: bool,
    /// What the token belongs to: a token of another query is refused.
    pub(crate) query: u16,
}

impl Cursor {
    pub(crate) fn token(self, seed: u64) -> String {
        let mut raw = [0_u8; TOKEN_BYTES];
        raw[..8].copy_from_slice(&self.place.created_ms.to_be_bytes());
        raw[8..16].copy_from_slice(&self.place.key.0.to_be_bytes());
        raw[16] = u8::from(self.after_empty);
        raw[17..19].copy_from_slice(&self.query.to_be_bytes());
        let sum = checksum(&raw[..19], seed);
        raw[19..].copy_from_slice(&sum.to_be_bytes());
        URL_SAFE_NO_PAD.encode(raw)
    }

    pub(crate) fn parse(token: &str, seed: u64, query: u16) -> Result<Self, ApiError> {
        Self::read(token, seed)
            .filter(|cursor| cursor.query == query)
            .ok_or_else(|| ApiError::invalid("Request contains an invalid page token."))
    }

    fn read(token: &str, seed: u64) -> Option<Self> {
        let raw: [u8; TOKEN_BYTES] = URL_SAFE_NO_PAD.decode(token).ok()?.try_into().ok()?;
        if raw[19..] != checksum(&raw[..19], seed).to_be_bytes() {
            return None;
        }
        let created_ms = i64::from_be_bytes(raw[..8].try_into().ok()?);
        let key = Key(u64::from_be_bytes(raw[8..16].try_into().ok()?));
        let query = u16::from_be_bytes([raw[17], raw[18]]);
        Some(Self {
            place: Place { created_ms, key },
            after_empty: raw[16] != 0,
            query,
        })
    }
}

fn checksum(raw: &[u8], seed: u64) -> u64 {
    raw.iter()
        .fold(mix(seed), |sum, byte| mix2(sum, u64::from(*byte)))
}

/// A short fingerprint of a query, so that its tokens fit no other.
pub(crate) fn fingerprint(text: &str) -> u16 {
    let sum = text.bytes().fold(7, |sum, byte| mix2(sum, u64::from(byte)));
    u16::try_from(sum & 0xffff).unwrap_or(0)
}

/// The page size asked for: the default when absent or 0, 400 when negative or above the limit.
pub(crate) fn size(asked: Option<i64>, usual: usize, most: usize) -> Result<usize, ApiError> {
    match asked {
        None | Some(0) => Ok(usual),
        Some(asked) => usize::try_from(asked)
            .ok()
            .filter(|size| *size <= most)
            .ok_or_else(|| ApiError::invalid(format!("Page size must be between 1 and {most}."))),
    }
}

/// The `pageSize` parameter of a query.
pub(crate) fn size_parameter(query: &str) -> Result<Option<i64>, ApiError> {
    let Some(text) = crate::net::call::parameter(query, "pageSize") else {
        return Ok(None);
    };
    let parsed = text.parse().map_err(|_| {
        ApiError::invalid(format!(
            "Invalid value at 'page_size' (TYPE_INT32), \"{text}\""
        ))
    })?;
    Ok(Some(parsed))
}

/// Answers one page of `places` that pass `keep`.
pub(crate) fn page(
    context: &Context<'_>,
    shelf: &Shelf,
    places: impl Iterator<Item = Place>,
    keep: impl Fn(&Facts<'_>) -> bool,
    (size, cursor, query): (usize, Option<Cursor>, u16),
) -> Reply {
    let switches = context.switches;
    let seed = context.world.seed;
    let position = cursor.map_or(0, |cursor| {
        cursor.place.key.0 ^ cursor.place.created_ms.cast_unsigned()
    });
    let draws_empty = switches.empty_pages && below(seed ^ 0x88, position, 4) == 0;
    if let Some(cursor) = cursor
        && draws_empty
        && !cursor.after_empty
    {
        let token = Cursor {
            after_empty: true,
            ..cursor
        }
        .token(seed);
        return Reply::json(200, format!("{{\"nextPageToken\":\"{token}\"}}\n"));
    }
    let wanted = if switches.short_pages {
        let drawn = below(seed ^ 0x99, position, size as u64);
        1 + usize::try_from(drawn).unwrap_or(0)
    } else {
        size
    };
    let lag = switches.listing_lag_ms;
    let mut out = String::with_capacity(wanted * ITEM_LENGTH + 256);
    out.push_str("{\"mediaItems\":[");
    let start = out.len();
    if let Some(cursor) = cursor
        && switches.page_overlap
        && let Some(facts) = shelf.facts(cursor.place.key)
    {
        push_item(&mut out, context, cursor.place.key, &facts);
    }
    let (mut taken, mut last, mut more) = (0, None, false);
    for place in places {
        let Some(facts) = shelf.facts(place.key) else {
            continue;
        };
        let lags = lag > 0 && facts.added_ms.saturating_add(lag) > context.now_ms;
        if lags || !keep(&facts) {
            continue;
        }
        if taken == wanted {
            more = true;
            break;
        }
        if out.len() > start {
            out.push(',');
        }
        push_item(&mut out, context, place.key, &facts);
        taken += 1;
        last = Some(place);
    }
    if out.len() == start {
        return super::empty();
    }
    out.push(']');
    if let Some(place) = last.filter(|_| more) {
        out.push_str(",\"nextPageToken\":\"");
        out.push_str(
            &Cursor {
                place,
                after_empty: false,
                query,
            }
            .token(seed),
        );
        out.push('"');
    }
    out.push_str("}\n");
    Reply::json(200, out)
}
