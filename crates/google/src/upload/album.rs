//! `POST albums`: a new album.

use serde::Serialize;
use tintype_model::album::Album;
use tintype_ports::photos::PhotoError;

use crate::{
    attempt::{Answer, Caller, Course, Manner},
    failure::{About, unreadable},
    library,
};

#[derive(Serialize)]
struct Request<'a> {
    album: New<'a>,
}

#[derive(Serialize)]
struct New<'a> {
    title: &'a str,
}

/// Makes an album. Google makes a second one of the same title when it is asked twice, so after trouble it is not asked again.
pub(crate) async fn create_album(caller: &Caller, title: &str) -> Result<Album, PhotoError> {
    let url = caller.settings.endpoints.call("albums");
    let new = Request {
        album: New { title },
    };
    let manner = Manner {
        again_in_doubt: false,
        ..caller.short(About::default())
    };
    let request = |client: &reqwest::Client| client.post(url.clone()).json(&new);
    let read = |answer: &Answer| library::only_album(&answer.body).map_err(unreadable);
    caller
        .ask(manner, request, read, &mut Course::default())
        .await
}
