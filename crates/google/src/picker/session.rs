//! `sessions`: opened by us, filled by a person.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use tintype_ports::photos::{MOST_PICKS, PhotoError, PickSession, PickSessionId};
use url::Url;

use crate::{attempt::Caller, failure::About};

/// Google asks for no look more often than this, whatever it says.
const SHORTEST_POLL: Duration = Duration::from_secs(1);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireSession {
    id: String,
    #[serde(default)]
    picker_uri: String,
    #[serde(default)]
    polling_config: WirePolling,
    #[serde(default)]
    expire_time: Option<String>,
    #[serde(default)]
    media_items_set: bool,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct WirePolling {
    #[serde(default)]
    poll_interval: Option<String>,
}

pub(super) async fn begin(caller: &Caller) -> Result<PickSession, PhotoError> {
    let url = caller.settings.endpoints.pick("sessions");
    // An int64, which Google writes as text.
    let body = json!({"pickingConfig": {"maxItemCount": MOST_PICKS.to_string()}});
    let session = caller
        .library(
            About::default(),
            |client| client.post(url.clone()).json(&body),
            read,
        )
        .await?;
    if Url::parse(&session.uri).is_ok_and(|uri| matches!(uri.scheme(), "https" | "http")) {
        return Ok(session);
    }
    let text = "the picking session has no address that a person could go to";
    Err(PhotoError::Unavailable(text.to_owned()))
}

pub(super) async fn look(caller: &Caller, id: &PickSessionId) -> Result<PickSession, PhotoError> {
    let url = address(caller, id);
    caller
        .library(About::default(), |client| client.get(url.clone()), read)
        .await
}

pub(super) async fn end(caller: &Caller, id: &PickSessionId) -> Result<(), PhotoError> {
    let url = address(caller, id);
    let ended = caller
        .library(
            About::default(),
            |client| client.delete(url.clone()),
            |_| Ok(()),
        )
        .await;
    match ended {
        Err(PhotoError::ItemNotFound) => Ok(()),
        ended => ended,
    }
}

fn address(caller: &Caller, id: &PickSessionId) -> Url {
    let mut url = caller.settings.endpoints.pick("sessions");
    // As one segment, whatever it holds.
    if let Ok(mut path) = url.path_segments_mut() {
        path.push(&id.0);
    }
    url
}

fn read(body: &[u8]) -> Result<PickSession, serde_json::Error> {
    let wire: WireSession = serde_json::from_slice(body)?;
    let poll_after = wire.polling_config.poll_interval;
    let expires_at = wire.expire_time.as_deref();
    Ok(PickSession {
        id: PickSessionId(wire.id),
        uri: wire.picker_uri,
        poll_after: poll_after.as_deref().and_then(duration),
        expires_at: expires_at.and_then(|text| text.parse::<DateTime<Utc>>().ok()),
        is_picked: wire.media_items_set,
    })
}

/// A duration as Google writes it: `5s`, `3.5s`.
fn duration(text: &str) -> Option<Duration> {
    let seconds: f64 = text.strip_suffix('s')?.parse().ok()?;
    let duration = Duration::try_from_secs_f64(seconds).ok()?;
    Some(duration.max(SHORTEST_POLL))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_read_before_and_after_the_person_is_done() {
        let open = br#"{"id":"s","pickerUri":"https://photos.google.com/picker/s",
            "pollingConfig":{"pollInterval":"5s","timeoutIn":"1790.5s"},"expireTime":"2026-01-02T03:04:05.6Z"}"#;
        let session = read(open).unwrap();
        assert_eq!(session.poll_after, Some(Duration::from_secs(5)));
        assert!(!session.is_picked && session.expires_at.is_some());
        let done = read(br#"{"id":"s","mediaItemsSet":true,"expireTime":"soon"}"#).unwrap();
        assert!(done.is_picked && done.poll_after.is_none() && done.expires_at.is_none());
        assert!(read(b"{}").is_err());
    }

    #[test]
    fn a_poll_is_never_asked_for_without_a_pause() {
        assert_eq!(duration("3.5s"), Some(Duration::from_millis(3_500)));
        for odd in ["0s", "0.001s"] {
            assert_eq!(duration(odd), Some(SHORTEST_POLL));
        }
        for wrong in ["", "5", "-1s", "NaNs", "1e30s"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }
}
