//! What an answer that is no success means. Google tells many cases apart only in the text.

use std::{error::Error, fmt::Display, time::Duration};

use reqwest::{
    StatusCode,
    header::{HeaderMap, RETRY_AFTER},
};
use serde::Deserialize;
use tintype_ports::{
    photos::{Forbidden, PhotoError},
    quota::QuotaError,
    vault::VaultError,
};

/// Longest piece of somebody else's text that goes into an error, in characters.
const LONGEST_TEXT: usize = 300;

/// No API has a longer name, in bytes.
const LONGEST_NAME: usize = 60;
/// The API that is meant where Google names none.
const LIBRARY: &str = "Photos Library API";

/// Trouble that may pass by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Passing {
    /// What happened, for a person.
    pub(crate) text: String,
    /// Google asked us to slow down.
    pub(crate) throttled: bool,
    /// When Google asked to be called again.
    pub(crate) retry_after: Option<Duration>,
    /// A body ended before its promised end.
    pub(crate) cut_short: bool,
    /// Google may have done what was asked for all the same.
    pub(crate) unclear: bool,
}

impl Passing {
    pub(crate) fn trouble(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            throttled: false,
            retry_after: None,
            cut_short: false,
            unclear: true,
        }
    }

    /// The error when patience has ended.
    pub(crate) fn give_up(self) -> PhotoError {
        if self.cut_short {
            PhotoError::NotMedia(self.text)
        } else {
            PhotoError::Unavailable(self.text)
        }
    }
}

/// Why one attempt failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Trying again may help.
    Passing(Passing),
    /// The access token is refused.
    Token(String),
    /// The day's quota is used up by Google's count.
    DayOver,
    /// Trying again does not help.
    Final(PhotoError),
}

/// What the call was about, where that changes the meaning of an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct About {
    /// The call went on with a listing.
    pub(crate) page_token: bool,
    /// The call was about one album.
    pub(crate) album: bool,
}

#[derive(Deserialize)]
struct ErrorAnswer {
    error: ErrorBody,
}

#[derive(Deserialize)]
struct ErrorBody {
    #[serde(default)]
    message: String,
}

/// What an answer of the Library API with a bad status means.
pub(crate) fn of_library(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    about: About,
) -> Failure {
    let message = serde_json::from_slice::<ErrorAnswer>(body)
        .ok()
        .map(|it| it.error.message);
    let from_google = message.is_some();
    let text = message
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| format!("HTTP {status}"));
    let text = shortened(&text);
    match status {
        StatusCode::UNAUTHORIZED => Failure::Token(text),
        StatusCode::FORBIDDEN => {
            Failure::Final(PhotoError::Forbidden(forbidden(&text, from_google)))
        }
        StatusCode::TOO_MANY_REQUESTS => of_too_many(&text, headers),
        StatusCode::NOT_FOUND => Failure::Final(PhotoError::ItemNotFound),
        StatusCode::BAD_REQUEST => of_bad_request(text, about),
        StatusCode::REQUEST_TIMEOUT => passing(status, &text, headers),
        status if status.is_server_error() => passing(status, &text, headers),
        status if status.is_redirection() => {
            passing(status, "a redirect where none belongs", headers)
        }
        status => Failure::Final(PhotoError::Rejected(format!(
            "{text} ({})",
            status.as_u16()
        ))),
    }
}

/// What a 429 means, by its text.
pub(crate) fn of_too_many(text: &str, headers: &HeaderMap) -> Failure {
    if is_about_the_day(text) {
        return Failure::DayOver;
    }
    Failure::Passing(Passing {
        throttled: true,
        retry_after: retry_after(headers),
        unclear: false,
        ..Passing::trouble(format!(
            "it keeps asking us to slow down: {}",
            shortened(text)
        ))
    })
}

/// Trouble that a status tells of.
pub(crate) fn passing(status: StatusCode, text: &str, headers: &HeaderMap) -> Failure {
    Failure::Passing(Passing {
        retry_after: retry_after(headers),
        ..Passing::trouble(format!("{} ({})", shortened(text), status.as_u16()))
    })
}

/// Trouble below HTTP. The URL is not shown: a base URL is a capability.
pub(crate) fn of_transport(error: reqwest::Error) -> Passing {
    Passing::trouble(chain(&error.without_url()))
}

/// Why a request got no answer. One that could not even be made, such as to a URL that is none, is not worth repeating.
pub(crate) fn of_send(error: reqwest::Error) -> Failure {
    if error.is_builder() {
        return Failure::Final(PhotoError::Rejected(of_transport(error).text));
    }
    Failure::Passing(Passing {
        // Without a connection nothing was asked for.
        unclear: !error.is_connect(),
        ..of_transport(error)
    })
}

/// An error and its causes in one line: what lies below says what really happened.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = inner.source();
    }
    shortened(&text)
}

pub(crate) fn of_quota(error: QuotaError) -> PhotoError {
    match error {
        QuotaError::Exhausted { resumes_at, .. } => PhotoError::QuotaExhausted { resumes_at },
        ledger @ QuotaError::Ledger(_) => PhotoError::Quota(ledger),
    }
}

pub(crate) fn of_vault(error: VaultError) -> PhotoError {
    match error {
        VaultError::Refused(refusal) => PhotoError::Refused(refusal),
        missing @ VaultError::NotFound => PhotoError::AuthLost(missing.to_string()),
        other => PhotoError::Vault(other),
    }
}

/// The first characters of somebody else's text, in one line.
pub(crate) fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST_TEXT {
        return line;
    }
    line.chars().take(LONGEST_TEXT).chain(['…']).collect()
}

/// Only "per day" in the text means that the day is over.
fn is_about_the_day(text: &str) -> bool {
    text.to_ascii_lowercase().contains("per day")
}

fn of_bad_request(text: String, about: About) -> Failure {
    let plain = text.to_ascii_lowercase();
    let names_the_token = ["page token", "pagetoken", "page_token"]
        .iter()
        .any(|it| plain.contains(it));
    let says_nothing = plain.contains("contains an invalid argument");
    let error = if about.page_token && (names_the_token || says_nothing) {
        PhotoError::PageTokenExpired
    } else if plain.contains("remaining storage") {
        PhotoError::StorageFull
    } else if about.album && names_no_album(&plain) {
        PhotoError::ItemNotFound
    } else {
        PhotoError::Rejected(text)
    };
    Failure::Final(error)
}

/// The album is unknown, or of another client, which comes to the same.
fn names_no_album(plain: &str) -> bool {
    plain.contains("invalid album id")
        || plain.contains("no permission to add media items to this album")
}

/// An answer with a good status that cannot be understood: what was asked for may have been done.
pub(crate) fn unreadable(why: impl Display) -> Failure {
    let text = format!("the answer cannot be understood: {why}");
    Failure::Passing(Passing::trouble(text))
}

/// What a 403 is about, by its text.
fn forbidden(text: &str, from_google: bool) -> Forbidden {
    if !from_google {
        return Forbidden::NotGoogle(text.to_owned());
    }
    let plain = text.to_ascii_lowercase();
    if plain.contains("insufficient authentication scopes") {
        Forbidden::ScopeMissing
    } else if plain.contains("has not been used in project") {
        let named = text.split_once(" has not been used").map(|(api, _)| api);
        let named = named.filter(|api| api.ends_with("API") && api.len() < LONGEST_NAME);
        let api = named.unwrap_or(LIBRARY).trim_start_matches("Google ");
        Forbidden::ApiDisabled {
            api: api.to_owned(),
            project: digits_after(&plain, "in project ").to_owned(),
        }
    } else if plain.contains("disabled for the user") {
        Forbidden::AccountDisabled
    } else {
        Forbidden::Other(text.to_owned())
    }
}

fn digits_after<'a>(text: &'a str, word: &str) -> &'a str {
    let rest = text.split_once(word).map_or("", |(_, rest)| rest);
    let end = rest
        .find(|it: char| !it.is_ascii_digit())
        .unwrap_or(rest.len());
    &rest[..end]
}

/// `Retry-After` in its form of seconds. Its form of a date would need a clock that agrees with Google's.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests;
