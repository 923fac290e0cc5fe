//! `POST mediaItems:batchCreate`: items of bytes that were sent.

mod answer;

use std::collections::HashSet;

use serde::Serialize;
use tintype_model::item::ProviderId;
use tintype_ports::photos::{Batch, Creation, NewItem, PhotoError};

use super::MOST_ITEMS;
use crate::{
    attempt::{Answer, Caller, Course},
    failure::{About, unreadable},
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    album_id: Option<&'a str>,
    new_media_items: Vec<New<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct New<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    simple_media_item: Simple<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Simple<'a> {
    upload_token: &'a str,
    file_name: &'a str,
}

/// Makes items. An attempt without a clear answer is repeated, but leaves a doubt: Google does not document what a token comes to
/// that was used before.
pub(crate) async fn create(
    caller: &Caller,
    album: Option<&ProviderId>,
    items: &[NewItem],
) -> Batch {
    let mut course = Course::default();
    let results = match check(items) {
        Ok(()) => ask(caller, album, items, &mut course).await,
        Err(wrong) => Err(PhotoError::Rejected(wrong)),
    };
    Batch {
        results,
        in_doubt: course.in_doubt,
    }
}

/// Answers are matched by token, so each item needs one of its own.
fn check(items: &[NewItem]) -> Result<(), String> {
    if items.is_empty() || items.len() > MOST_ITEMS {
        let count = items.len();
        return Err(format!(
            "1 to {MOST_ITEMS} items can be made at once, not {count}"
        ));
    }
    let tokens: HashSet<&str> = items.iter().map(|item| item.token.expose()).collect();
    if tokens.len() < items.len() {
        return Err("two items cannot be made of one upload token".to_owned());
    }
    Ok(())
}

async fn ask(
    caller: &Caller,
    album: Option<&ProviderId>,
    items: &[NewItem],
    course: &mut Course,
) -> Result<Vec<Creation>, PhotoError> {
    let url = caller.settings.endpoints.call("mediaItems:batchCreate");
    let wanted = Request {
        album_id: album.map(ProviderId::as_str),
        new_media_items: items.iter().map(new).collect(),
    };
    let about = About {
        album: album.is_some(),
        ..About::default()
    };
    let request = |client: &reqwest::Client| client.post(url.clone()).json(&wanted);
    let read = |answer: &Answer| answer::read(&answer.body, items).map_err(unreadable);
    caller.ask(caller.short(about), request, read, course).await
}

fn new(item: &NewItem) -> New<'_> {
    New {
        description: item.description.as_deref(),
        simple_media_item: Simple {
            upload_token: item.token.expose(),
            file_name: &item.filename,
        },
    }
}
