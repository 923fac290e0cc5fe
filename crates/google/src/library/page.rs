//! Pages: read in one go, and entry by entry only when that fails, so that one bad entry does not cost the others.

use std::collections::HashMap;

use serde::{
    Deserialize,
    de::{DeserializeOwned, Error as _, IgnoredAny},
};
use serde_json::value::RawValue;
use tintype_ports::photos::Page;

/// An answer that holds a page. Google omits empty fields; the two listings name their entries differently.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "E: Deserialize<'de>"))]
struct PageAnswer<E> {
    #[serde(default = "Vec::new", alias = "albums")]
    media_items: Vec<E>,
    #[serde(default)]
    next_page_token: Option<String>,
}

/// Reads a page of `Wire` entries, each of which `accept` turns into an entry or says why not.
pub(crate) fn read<Wire: DeserializeOwned, T>(
    body: &[u8],
    accept: fn(Wire) -> Result<T, String>,
) -> Result<Page<T>, serde_json::Error> {
    let page = parse(body, accept)?;
    if page.entries.is_empty() && page.malformed.is_none() && page.next.is_none() {
        check_emptiness(body)?;
    }
    Ok(page)
}

/// An empty page ends a listing, so it must really be one: `{}` or empty fields that we know, not just any JSON.
fn check_emptiness(body: &[u8]) -> Result<(), serde_json::Error> {
    let fields = serde_json::from_slice::<HashMap<String, IgnoredAny>>(body)?;
    let known = ["mediaItems", "albums", "nextPageToken"];
    if fields.is_empty() || known.iter().any(|name| fields.contains_key(*name)) {
        return Ok(());
    }
    Err(serde_json::Error::custom("it is no page of a listing"))
}

fn parse<Wire: DeserializeOwned, T>(
    body: &[u8],
    accept: fn(Wire) -> Result<T, String>,
) -> Result<Page<T>, serde_json::Error> {
    if let Ok(answer) = serde_json::from_slice::<PageAnswer<Wire>>(body) {
        let entries = answer.media_items.into_iter().map(accept);
        return Ok(collect(entries, answer.next_page_token));
    }
    let answer = serde_json::from_slice::<PageAnswer<&RawValue>>(body)?;
    let entries = answer.media_items.into_iter().map(|raw| {
        let wire = serde_json::from_str::<Wire>(raw.get()).map_err(|error| error.to_string())?;
        accept(wire)
    });
    Ok(collect(entries, answer.next_page_token))
}

fn collect<T>(entries: impl Iterator<Item = Result<T, String>>, next: Option<String>) -> Page<T> {
    let mut good = Vec::with_capacity(entries.size_hint().0);
    let mut malformed: Option<(u64, String)> = None;
    for entry in entries {
        match entry {
            Ok(entry) => good.push(entry),
            Err(reason) => malformed.get_or_insert((0, reason)).0 += 1,
        }
    }
    Page {
        entries: good,
        malformed,
        next: next.filter(|token| !token.is_empty()),
    }
}
