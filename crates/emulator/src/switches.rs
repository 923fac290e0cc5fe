//! How Google behaves: every switch with its default, readable and changeable while the emulator runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::kind::CallKind;

/// What happens when bytes, or an upload token, come a second time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Replay {
    /// The item of the first time is answered, with its first file name.
    SameId,
    /// The item is refused with status code 6 (ALREADY_EXISTS).
    AlreadyExists,
    /// A second item is made.
    Duplicate,
}

/// An answer the consent page gives by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentAnswer {
    /// The first account allows.
    Allow,
    /// The person denies.
    Deny,
}

/// The limits of one cloud project. `None` is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QuotaLimits {
    /// Library API calls per Pacific day, uploads included.
    pub calls_per_day: Option<u64>,
    /// Base-URL loads per Pacific day.
    pub loads_per_day: Option<u64>,
    /// Library API calls per minute.
    pub calls_per_minute: Option<u64>,
    /// Base-URL loads per minute.
    pub loads_per_minute: Option<u64>,
    /// Picker API calls per minute.
    pub picker_calls_per_minute: Option<u64>,
}

impl Default for QuotaLimits {
    fn default() -> Self {
        Self {
            calls_per_day: Some(10_000),
            loads_per_day: Some(75_000),
            calls_per_minute: None,
            loads_per_minute: None,
            picker_calls_per_minute: Some(100_000),
        }
    }
}

impl QuotaLimits {
    /// No limit at all, for benchmarks.
    #[must_use]
    pub fn unlimited() -> Self {
        Self {
            calls_per_day: None,
            loads_per_day: None,
            calls_per_minute: None,
            loads_per_minute: None,
            picker_calls_per_minute: None,
        }
    }
}

/// Every switch. As JSON it is what `GET /__emulator/switches` answers, and any part of it can be PATCHed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// Items and albums are visible only to the client id that created them.
    pub visibility_per_client: bool,
    /// Calls without the right scope answer 403.
    pub enforce_scopes: bool,
    /// Quota is counted and enforced.
    pub enforce_quota: bool,
    /// Limits of projects without their own.
    pub quota: QuotaLimits,
    /// Limits by project number.
    pub project_quota: BTreeMap<String, QuotaLimits>,
    /// Two writes of one user at a time answer the "concurrent write request" 429.
    pub write_lock: bool,
    /// A page repeats the last item of the page before it.
    pub page_overlap: bool,
    /// Pages hold fewer items than asked for.
    pub short_pages: bool,
    /// Some pages hold nothing but a next page token.
    pub empty_pages: bool,
    /// How long a created item stays out of listings and searches, milliseconds.
    pub listing_lag_ms: i64,
    /// `mediaItems.list` also holds archived items; Google's documentation says it does not.
    pub list_includes_archived: bool,
    /// How long a base URL lives, milliseconds.
    pub base_url_ttl_ms: i64,
    /// How long a created video is PROCESSING, milliseconds.
    pub video_processing_ms: i64,
    /// Status of a `batchCreate` of which only some items failed: 200 or 207.
    pub batch_partial_status: u16,
    /// Identical bytes under another upload token.
    pub identical_bytes: Replay,
    /// An upload token used a second time.
    pub token_replay: Replay,
    /// Identical bytes within so many milliseconds answer code 6, whatever `identical_bytes` says; 0 is off.
    pub identical_close_ms: i64,
    /// `X-Goog-Hash` is checked.
    pub check_upload_hash: bool,
    /// Uploads without `X-Goog-Hash` are refused: Google takes them, but a careful client never sends one.
    pub require_upload_hash: bool,
    /// How long an upload token lives, milliseconds.
    pub upload_token_ttl_ms: i64,
    /// Uploaded bytes are forgotten once hashed, for benchmarks: such items cannot be downloaded.
    pub forget_uploads: bool,
    /// Bytes that still fit into each account; `None` is unlimited, 0 is full.
    pub storage_left: Option<u64>,
    /// Largest photo, bytes.
    pub max_photo_bytes: u64,
    /// Largest video, bytes.
    pub max_video_bytes: u64,
    /// Items an album can hold.
    pub max_album_items: usize,
    /// `=d` serves images without their location.
    pub strip_location: bool,
    /// `=dv` serves sample and uploaded videos transcoded.
    pub transcode_video: bool,
    /// Base URLs honour `Range`.
    pub range: bool,
    /// Base URLs answer HEAD (else 405).
    pub head: bool,
    /// Access tokens live so long, seconds.
    pub access_token_seconds: i64,
    /// The OAuth app is in Testing: refresh tokens die after 7 days, announced as `refresh_token_expires_in`.
    pub testing_mode: bool,
    /// A refresh answers a new refresh token; the old one stays valid, as with Google.
    pub rotate_refresh_token: bool,
    /// Live refresh tokens per account and client; the oldest dies beyond it.
    pub max_refresh_tokens: usize,
    /// The consent page answers by itself, without a person.
    pub consent: Option<ConsentAnswer>,
    /// The Photos Library API is disabled in the project.
    pub api_disabled: bool,
    /// The Photos Picker API is disabled in the project.
    pub picker_disabled: bool,
    /// Google Photos is disabled for the user.
    pub photos_disabled: bool,
    /// The Picker's ids are not those of the Library API.
    pub picker_own_ids: bool,
    /// Milliseconds each call of a kind waits before it is answered.
    pub latency_ms: BTreeMap<CallKind, u64>,
    /// The download proxy refuses (503) whoever asks while another download of it is under way. The real one lets them wait.
    pub proxy_one_at_a_time: bool,
    /// Bytes per second of each base-URL answer; `None` is unlimited.
    pub bandwidth: Option<u64>,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            visibility_per_client: true,
            enforce_scopes: true,
            enforce_quota: true,
            quota: QuotaLimits::default(),
            project_quota: BTreeMap::new(),
            write_lock: true,
            page_overlap: false,
            short_pages: false,
            empty_pages: false,
            listing_lag_ms: 0,
            list_includes_archived: false,
            base_url_ttl_ms: 60 * 60 * 1000,
            video_processing_ms: 0,
            batch_partial_status: 200,
            identical_bytes: Replay::SameId,
            token_replay: Replay::SameId,
            identical_close_ms: 0,
            check_upload_hash: true,
            require_upload_hash: false,
            upload_token_ttl_ms: 24 * 60 * 60 * 1000,
            forget_uploads: false,
            storage_left: None,
            max_photo_bytes: 200 * 1024 * 1024,
            max_video_bytes: 20 * 1024 * 1024 * 1024,
            max_album_items: 20_000,
            strip_location: true,
            transcode_video: true,
            range: true,
            head: true,
            access_token_seconds: 3599,
            testing_mode: false,
            rotate_refresh_token: false,
            max_refresh_tokens: 100,
            consent: None,
            api_disabled: false,
            picker_disabled: false,
            photos_disabled: false,
            picker_own_ids: true,
            latency_ms: BTreeMap::new(),
            proxy_one_at_a_time: true,
            bandwidth: None,
        }
    }
}

impl Switches {
    /// These switches with the fields of a JSON object laid over them; nested objects are laid over in turn.
    ///
    /// # Errors
    /// When a field is unknown or has the wrong type.
    pub fn patched(&self, patch: &serde_json::Value) -> Result<Self, serde_json::Error> {
        let mut whole = serde_json::to_value(self)?;
        overlay(&mut whole, patch);
        serde_json::from_value(whole)
    }

    /// The limits of a project.
    pub(crate) fn limits(&self, project: &str) -> QuotaLimits {
        self.project_quota
            .get(project)
            .copied()
            .unwrap_or(self.quota)
    }
}

fn overlay(whole: &mut serde_json::Value, patch: &serde_json::Value) {
    let (Some(target), Some(changes)) = (whole.as_object_mut(), patch.as_object()) else {
        *whole = patch.clone();
        return;
    };
    for (name, change) in changes {
        match target.get_mut(name) {
            Some(old) if old.is_object() && change.is_object() => overlay(old, change),
            _ => {
                target.insert(name.clone(), change.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_changes_only_what_it_names() {
        let patch = serde_json::json!({"quota": {"calls_per_day": 5}, "page_overlap": true});
        let patched = Switches::default().patched(&patch).unwrap();
        let mut expected = Switches {
            page_overlap: true,
            ..Switches::default()
        };
        expected.quota.calls_per_day = Some(5);
        assert_eq!(patched, expected);
    }

    #[test]
    fn an_unknown_switch_is_refused() {
        assert!(
            Switches::default()
                .patched(&serde_json::json!({"pageoverlap": true}))
                .is_err()
        );
    }
}
