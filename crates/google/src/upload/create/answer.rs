//! What became of each item, by Google's answer. Its order says nothing: results are matched by upload token.

use std::collections::HashMap;

use serde::Deserialize;
use tintype_model::item::ProviderId;
use tintype_ports::photos::{Creation, NewItem};

use crate::failure::shortened;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAnswer {
    #[serde(default)]
    new_media_item_results: Vec<WireResult>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireResult {
    #[serde(default)]
    upload_token: String,
    status: Option<WireStatus>,
    media_item: Option<WireItem>,
}

/// A `google.rpc.Status`; absent or 0 is success.
#[derive(Deserialize, Default)]
struct WireStatus {
    #[serde(default)]
    code: u32,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct WireItem {
    #[serde(default)]
    id: String,
}

/// What became of each of `items`, in their order, or why the answer does not tell.
pub(super) fn read(body: &[u8], items: &[NewItem]) -> Result<Vec<Creation>, String> {
    let answer: WireAnswer = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let mut results = HashMap::with_capacity(items.len());
    for result in answer.new_media_item_results {
        if let Some(twice) = results.insert(result.upload_token.clone(), result)
            && items
                .iter()
                .any(|it| it.token.expose() == twice.upload_token)
        {
            return Err("it speaks twice of an item".to_owned());
        }
    }
    items
        .iter()
        .map(|item| results.remove(item.token.expose()).map(creation))
        .collect::<Option<_>>()
        .ok_or_else(|| "it does not speak of every item".to_owned())
}

fn creation(result: WireResult) -> Creation {
    let id = result
        .media_item
        .and_then(|item| ProviderId::try_from(item.id).ok());
    let WireStatus { code, message } = result.status.unwrap_or_default();
    let plain = message.to_ascii_lowercase();
    let text = || format!("{} (code {code})", shortened(&message));
    match code {
        // Without an id there is nothing to keep, but something is there.
        0 => id.map_or(Creation::Exists(None), Creation::Made),
        6 => Creation::Exists(id),
        3 if plain.contains("valid upload token") => Creation::TokenLost,
        8 if plain.contains("album") => Creation::AlbumFull,
        // INVALID_ARGUMENT, FAILED_PRECONDITION, OUT_OF_RANGE.
        3 | 9 | 11 => Creation::Refused(text()),
        _ => Creation::NotNow(text()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tintype_ports::photos::UploadToken;

    use super::*;

    fn item(token: &str) -> NewItem {
        NewItem {
            token: UploadToken::new(token.to_owned()),
            filename: "sea.jpg".to_owned(),
            description: None,
        }
    }

    fn of(tokens: &[&str], results: &Value) -> Result<Vec<Creation>, String> {
        let items: Vec<NewItem> = tokens.iter().copied().map(item).collect();
        let body = json!({"newMediaItemResults": results}).to_string();
        read(body.as_bytes(), &items)
    }

    fn made(id: &str) -> Creation {
        Creation::Made(id.parse().unwrap())
    }

    #[test]
    fn results_are_matched_by_token_and_not_by_place() {
        let results = json!([
            {"uploadToken": "c", "status": {"message": "Success"}, "mediaItem": {"id": "third"}},
            {"uploadToken": "stranger", "mediaItem": {"id": "none-of-ours"}},
            {"uploadToken": "a", "status": {"code": 0}, "mediaItem": {"id": "first"}},
            {"uploadToken": "b", "status": {"code": 13, "message": "Internal error."}},
        ]);
        let expected = vec![
            made("first"),
            Creation::NotNow("Internal error. (code 13)".to_owned()),
            made("third"),
        ];
        assert_eq!(of(&["a", "b", "c"], &results).unwrap(), expected);
    }

    #[test]
    fn an_answer_that_is_not_about_each_item_once_is_none() {
        let one = json!({"uploadToken": "a", "mediaItem": {"id": "x"}});
        for wrong in [
            json!([]),
            json!([one]),
            json!([one, one, {"uploadToken": "b"}]),
        ] {
            assert!(of(&["a", "b"], &wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "null", "[]", "<html>", r#"{"newMediaItemResults":7}"#] {
            assert!(read(wrong.as_bytes(), &[item("a")]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn each_code_means_one_thing() {
        let known = Some("known".parse().unwrap());
        let cases = [
            (json!({"mediaItem": {"id": "x"}}), made("x")),
            (json!({"status": null, "mediaItem": {"id": "x"}}), made("x")),
            (
                json!({"status": {"message": "Success"}}),
                Creation::Exists(None),
            ),
            (json!({"mediaItem": {"id": "../x"}}), Creation::Exists(None)),
            (json!({"status": {"code": 6}}), Creation::Exists(None)),
            (
                json!({"status": {"code": 6}, "mediaItem": {"id": "known"}}),
                Creation::Exists(known),
            ),
            (
                json!({"status": {"code": 3, "message": "Request must contain a valid upload token."}}),
                Creation::TokenLost,
            ),
            (
                json!({"status": {"code": 8, "message": "The album holds the most items it can."}}),
                Creation::AlbumFull,
            ),
        ];
        for (mut result, expected) in cases {
            result["uploadToken"] = "a".into();
            assert_eq!(
                of(&["a"], &json!([result])).unwrap(),
                [expected],
                "{result}"
            );
        }
    }

    #[test]
    fn what_cannot_be_made_and_what_cannot_be_made_now_are_told_apart() {
        for code in 1..=20 {
            let failed =
                json!([{"uploadToken": "a", "status": {"code": code, "message": "Failed"}}]);
            let text = format!("Failed (code {code})");
            let expected = match code {
                3 | 9 | 11 => Creation::Refused(text),
                6 => Creation::Exists(None),
                _ => Creation::NotNow(text),
            };
            assert_eq!(of(&["a"], &failed).unwrap(), [expected]);
        }
    }
}
