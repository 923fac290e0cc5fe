//! `mediaItems:batchGet`: items by id, above all for fresh base URLs.

use serde::Deserialize;
use tintype_model::item::ProviderId;
use tintype_ports::photos::{Forbidden, ListedItem, PhotoError};

use super::item::{WireItem, listed};
use crate::{
    attempt::Caller,
    failure::{About, shortened},
};

/// The most Google gives at once.
const MOST_IDS: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    media_item_results: Vec<WireResult>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireResult {
    #[serde(default)]
    status: WireStatus,
    media_item: Option<WireItem>,
}

#[derive(Deserialize, Default)]
struct WireStatus {
    #[serde(default)]
    code: u32,
    #[serde(default)]
    message: String,
}

pub(crate) async fn items(
    caller: &Caller,
    ids: &[ProviderId],
) -> Result<Vec<Result<ListedItem, PhotoError>>, PhotoError> {
    if ids.is_empty() || ids.len() > MOST_IDS {
        let text = format!(
            "1 to {MOST_IDS} ids can be asked for at once, not {}",
            ids.len()
        );
        return Err(PhotoError::Rejected(text));
    }
    let mut url = caller.settings.endpoints.call("mediaItems:batchGet");
    url.query_pairs_mut()
        .extend_pairs(ids.iter().map(|id| ("mediaItemIds", id.as_str())));
    let about = About {
        page_token: false,
        album: false,
    };
    let results = caller
        .library(about, |client| client.get(url.clone()), read)
        .await?;
    if results.len() != ids.len() {
        let text = format!(
            "{} items were asked for, {} answered",
            ids.len(),
            results.len()
        );
        return Err(PhotoError::Unavailable(text));
    }
    Ok(results
        .into_iter()
        .zip(ids)
        .map(|(result, id)| accept(result, id))
        .collect())
}

fn read(body: &[u8]) -> Result<Vec<WireResult>, serde_json::Error> {
    serde_json::from_slice::<Answer>(body).map(|answer| answer.media_item_results)
}

fn accept(result: WireResult, asked: &ProviderId) -> Result<ListedItem, PhotoError> {
    let Some(wire) = result.media_item else {
        return Err(of_status(&result.status));
    };
    let item = listed(wire).map_err(PhotoError::Unavailable)?;
    if item.id == *asked {
        Ok(item)
    } else {
        Err(PhotoError::Unavailable(
            "another item than the one asked for was answered".to_owned(),
        ))
    }
}

/// The status of one item, a code of `google.rpc.Code`.
fn of_status(status: &WireStatus) -> PhotoError {
    let text = format!("{} (code {})", shortened(&status.message), status.code);
    match status.code {
        // An id that nobody has is INVALID_ARGUMENT (3) as often as NOT_FOUND (5).
        3 | 5 => PhotoError::ItemNotFound,
        7 => PhotoError::Forbidden(Forbidden::Other(text)),
        16 => PhotoError::AuthLost(text),
        _ => PhotoError::Unavailable(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(json: &str) -> Result<ListedItem, PhotoError> {
        accept(serde_json::from_str(json).unwrap(), &"a".parse().unwrap())
    }

    #[test]
    fn each_item_has_a_status_of_its_own() {
        let found = r#"{"mediaItem":{"id":"a","mimeType":"image/png","filename":"x.png"}}"#;
        assert_eq!(outcome(found).unwrap().id.as_str(), "a");
        for code in [3, 5] {
            let unknown =
                format!(r#"{{"status":{{"code":{code},"message":"Invalid media item ID."}}}}"#);
            assert!(matches!(outcome(&unknown), Err(PhotoError::ItemNotFound)));
        }
        let broken = r#"{"status":{"code":13,"message":"Internal"}}"#;
        assert!(
            matches!(outcome(broken), Err(PhotoError::Unavailable(text)) if text.contains("13"))
        );
        assert!(matches!(outcome("{}"), Err(PhotoError::Unavailable(_))));
    }

    #[test]
    fn an_answer_about_another_item_is_not_taken() {
        let other = r#"{"mediaItem":{"id":"b","mimeType":"image/png"}}"#;
        assert!(matches!(outcome(other), Err(PhotoError::Unavailable(_))));
    }
}
