//! `albums`: the albums that the app may see.

use serde::Deserialize;
use tintype_model::{album::Album, item::ProviderId};
use tintype_ports::photos::{Page, PhotoError};

use super::{item::Number, page};
use crate::{attempt::Caller, failure::About};

/// The most Google gives at once.
const PAGE_SIZE: &str = "50";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAlbum {
    #[serde(default)]
    id: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    media_items_count: Number,
}

pub(crate) async fn albums(
    caller: &Caller,
    page_token: Option<&str>,
) -> Result<Page<Album>, PhotoError> {
    let mut url = caller.settings.endpoints.call("albums");
    url.query_pairs_mut().append_pair("pageSize", PAGE_SIZE);
    if let Some(token) = page_token {
        url.query_pairs_mut().append_pair("pageToken", token);
    }
    let about = About {
        page_token: page_token.is_some(),
        album: false,
    };
    caller
        .library(about, |client| client.get(url.clone()), read)
        .await
}

fn read(body: &[u8]) -> Result<Page<Album>, serde_json::Error> {
    page::read(body, accept)
}

/// One album that an answer is all about.
pub(crate) fn only_album(body: &[u8]) -> Result<Album, String> {
    let wire = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    accept(wire)
}

fn accept(wire: WireAlbum) -> Result<Album, String> {
    let provider_id = ProviderId::try_from(wire.id).map_err(|error| error.to_string())?;
    let items_count = wire.media_items_count.0.unwrap_or(0);
    Ok(Album {
        provider_id,
        title: wire.title,
        items_count,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_album_without_title_or_count_is_empty_and_one_without_id_is_malformed() {
        let body = br#"{"albums":[{"id":"a","title":"Sea","mediaItemsCount":"12"},{"id":"b"},{"title":"x"}],
            "nextPageToken":"t"}"#;
        let album = |id: &str, title: &str, items_count| Album {
            provider_id: id.parse().unwrap(),
            title: title.to_owned(),
            items_count,
        };
        let reason = "a provider id has 1 to 512 characters of A-Z a-z 0-9 _ -".to_owned();
        let expected = Page {
            entries: vec![album("a", "Sea", 12), album("b", "", 0)],
            malformed: Some((1, reason)),
            next: Some("t".to_owned()),
        };
        assert_eq!(read(body).unwrap(), expected);
        let alone = br#"{"id":"a","title":"Sea","isWriteable":true}"#;
        assert_eq!(only_album(alone), Ok(album("a", "Sea", 0)));
        assert!(only_album(b"{}").is_err() && only_album(b"<html>").is_err());
    }
}
