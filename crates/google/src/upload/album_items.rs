//! `POST albums/{id}:batchAddMediaItems`: items that are there go into an album.

use std::collections::HashMap;

use serde::{Serialize, de::IgnoredAny};
use tintype_model::item::ProviderId;
use tintype_ports::photos::PhotoError;

use super::MOST_ITEMS;
use crate::{attempt::Caller, failure::About};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    media_item_ids: &'a [ProviderId],
}

/// Puts items into an album. Asked twice, Google leaves those in it where they are.
pub(crate) async fn add_to_album(
    caller: &Caller,
    album: &ProviderId,
    items: &[ProviderId],
) -> Result<(), PhotoError> {
    if items.is_empty() || items.len() > MOST_ITEMS {
        let text = format!(
            "1 to {MOST_ITEMS} items can be put into an album at once, not {}",
            items.len()
        );
        return Err(PhotoError::Rejected(text));
    }
    let path = format!("albums/{album}:batchAddMediaItems");
    let url = caller.settings.endpoints.call(&path);
    let about = About {
        album: true,
        ..About::default()
    };
    let ids = Request {
        media_item_ids: items,
    };
    caller
        .library(about, |client| client.post(url.clone()).json(&ids), read)
        .await
}

/// The answer is an object without fields, which says no more than that Google answered.
fn read(body: &[u8]) -> Result<(), serde_json::Error> {
    serde_json::from_slice::<HashMap<String, IgnoredAny>>(body).map(drop)
}
