//! `mediaItems:search`: the items of the library or of an album, newest first.

use serde::Serialize;
use tintype_ports::photos::{ListedItem, Page, PhotoError, Scope};

use super::{
    item::{WireItem, listed},
    page,
};
use crate::{attempt::Caller, failure::About};

/// The most Google gives at once.
const PAGE_SIZE: u32 = 100;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Search<'a> {
    page_size: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    page_token: Option<&'a str>,
    // Google refuses an album together with filters.
    #[serde(skip_serializing_if = "Option::is_none")]
    album_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filters: Option<Filters>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Filters {
    include_archived_media: bool,
}

pub(crate) async fn list(
    caller: &Caller,
    scope: &Scope,
    page_token: Option<&str>,
) -> Result<Page<ListedItem>, PhotoError> {
    let (album_id, filters) = match scope {
        Scope::Library { include_archived } => (
            None,
            Some(Filters {
                include_archived_media: *include_archived,
            }),
        ),
        Scope::Album(id) => (Some(id.as_str()), None),
    };
    let search = Search {
        page_size: PAGE_SIZE,
        page_token,
        album_id,
        filters,
    };
    let url = caller.settings.endpoints.call("mediaItems:search");
    let about = About {
        page_token: page_token.is_some(),
        album: album_id.is_some(),
    };
    caller
        .library(about, |client| client.post(url.clone()).json(&search), read)
        .await
}

fn read(body: &[u8]) -> Result<Page<ListedItem>, serde_json::Error> {
    page::read::<WireItem, _>(body, listed)
}
