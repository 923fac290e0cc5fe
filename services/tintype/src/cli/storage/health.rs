//! How the credential of an account is, in words.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use crate::render::{counted, span};

/// An idle death is of no interest while it is further away than this: a use moves it, and one comes every week.
const NEAR: TimeDelta = TimeDelta::days(30);

/// As the server tells it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Health {
    state: String,
    dies_at: Option<DateTime<Utc>>,
    why: Option<String>,
    used_at: Option<DateTime<Utc>>,
    retry_at: Option<DateTime<Utc>>,
    pub(super) action: Option<String>,
}

/// `6 days 23 h`, `2 h 05 min`.
fn countdown(left: TimeDelta) -> String {
    let hours = left.num_hours();
    if hours >= 48 {
        let days = u64::try_from(left.num_days()).unwrap_or(0);
        return format!("{} {} h", counted(days, "day"), hours % 24);
    }
    let seconds = left.num_seconds().max(0);
    span(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

impl Health {
    /// One line.
    pub(super) fn words(&self, now: DateTime<Utc>) -> String {
        let left = self.dies_at.map(|at| at - now);
        let to_live = left.filter(|left| *left > TimeDelta::zero());
        match self.state.as_str() {
            "ok" => match to_live {
                Some(left) if self.is_announced() || left < NEAR => {
                    format!("good for {}", countdown(left))
                }
                _ if self.used_at.is_none() => "not used yet".to_owned(),
                _ => "good".to_owned(),
            },
            "expiring" => to_live.map_or_else(
                || "dies now".to_owned(),
                |left| format!("dies in {}", countdown(left)),
            ),
            "dead" => match left {
                Some(left) => format!("died {} ago", countdown(-left)),
                None => "dead: Google does not accept it".to_owned(),
            },
            "revoked" => "revoked by an operator".to_owned(),
            "client_refused" => "Google does not accept the OAuth client".to_owned(),
            "exhausted" => {
                let retry = self.retry_at.map(|at| (at - now).max(TimeDelta::zero()));
                let again = retry.map_or_else(
                    || "at the next use".to_owned(),
                    |wait| format!("in {}", countdown(wait)),
                );
                format!("Google gives no usable answer; asked again {again}")
            }
            "none" => "nobody is signed in".to_owned(),
            "unknown" => "the vault does not answer".to_owned(),
            other => other.to_owned(),
        }
    }

    /// Whether Google said when it dies.
    fn is_announced(&self) -> bool {
        self.why.as_deref() == Some("announced")
    }

    /// When it dies and how that is known, for a person.
    pub(super) fn death(&self) -> Option<String> {
        let at = self.dies_at?.format("%Y-%m-%d %H:%M UTC");
        Some(if self.is_announced() {
            format!("{at}, as Google said")
        } else {
            format!("{at}, unless it is used before; that happens every week")
        })
    }

    /// When it was used last, for a person.
    pub(super) fn last_use(&self) -> Option<String> {
        let at = self.used_at?.format("%Y-%m-%d %H:%M UTC");
        Some(at.to_string())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn words(mut health: Value) -> String {
        let fields = health.as_object_mut().expect("fields");
        for name in ["dies_at", "why", "used_at", "retry_at", "action"] {
            fields.entry(name).or_insert(Value::Null);
        }
        let now = "2026-06-10T12:00:00Z".parse().expect("a time");
        let health: Health = serde_json::from_value(health).expect("a health");
        health.words(now)
    }

    #[test]
    fn each_state_has_its_words_and_its_countdown() {
        let announced = |state: &str, at: &str| {
            words(json!({"state": state, "dies_at": at, "why": "announced", "used_at": at}))
        };
        let idle = |state: &str, at: &str| {
            words(json!({"state": state, "dies_at": at, "why": "idle", "used_at": at}))
        };
        let all = [
            announced("ok", "2026-06-17T11:30:00Z"),
            idle("ok", "2026-12-07T12:00:00Z"),
            idle("ok", "2026-06-20T12:00:00Z"),
            words(json!({"state": "ok"})),
            announced("expiring", "2026-06-12T13:00:00Z"),
            announced("expiring", "2026-06-10T14:05:00Z"),
            announced("expiring", "2026-06-10T12:04:05Z"),
            announced("dead", "2026-06-10T09:00:00Z"),
            words(json!({"state": "dead"})),
            words(json!({"state": "revoked"})),
            words(json!({"state": "client_refused"})),
            words(json!({"state": "exhausted", "retry_at": "2026-06-10T12:05:00Z"})),
            words(json!({"state": "exhausted"})),
            words(json!({"state": "none"})),
            words(json!({"state": "unknown"})),
        ];
        assert_eq!(
            all,
            [
                "good for 6 days 23 h",
                "good",
                "good for 10 days 0 h",
                "not used yet",
                "dies in 2 days 1 h",
                "dies in 2 h 05 min",
                "dies in 4 min 05 s",
                "died 3 h 00 min ago",
                "dead: Google does not accept it",
                "revoked by an operator",
                "Google does not accept the OAuth client",
                "Google gives no usable answer; asked again in 5 min 00 s",
                "Google gives no usable answer; asked again at the next use",
                "nobody is signed in",
                "the vault does not answer",
            ]
        );
    }
}
