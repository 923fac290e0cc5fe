//! When a refresh token is used: only to live on, or again after trouble.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{EXHAUSTED_AFTER, Signs};

/// A token that was used more recently is not used only to live on.
pub const KEEP_ALIVE_AFTER: TimeDelta = TimeDelta::days(6);

/// Tokens that were used at the same time are used again over so long, the last one a week after.
const SPREAD: TimeDelta = TimeDelta::days(1);

/// The first pause after trouble at Google's token endpoint, in seconds; it doubles with every failure.
const FIRST_PAUSE: f64 = 5.0;

/// The first pause of an exhausted credential, in seconds; it doubles too.
const FIRST_EXHAUSTED: f64 = 300.0;

/// The longest pause, in seconds, before jitter.
const LONGEST_PAUSE: f64 = 900.0;

/// Whether a use for its own sake does a token any good: it was not used for six days or never, so it may die or its death is not
/// known, or it is exhausted, which only a good answer ends.
#[must_use]
pub fn needs_use(signs: &Signs, now: DateTime<Utc>) -> bool {
    let is_lively = |used_at| now < used_at + KEEP_ALIVE_AFTER;
    signs.failures >= EXHAUSTED_AFTER || !signs.used_at.is_some_and(is_lively)
}

/// Whether a token is to be used now for its own sake: within its seventh day without use, `spread` (0.0 to 1.0) of the day after
/// that begins. One that was never used, or is exhausted, is due at once.
#[must_use]
pub fn is_keep_alive_due(signs: &Signs, spread: f64, now: DateTime<Utc>) -> bool {
    if signs.refused.is_some() {
        return false;
    }
    let Some(used_at) = signs.used_at.filter(|_| signs.failures < EXHAUSTED_AFTER) else {
        return true;
    };
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "a day has few milliseconds"
    )]
    let wait = (SPREAD.num_milliseconds() as f64 * spread.clamp(0.0, 1.0)) as i64;
    used_at + KEEP_ALIVE_AFTER + TimeDelta::milliseconds(wait) <= now
}

/// How long Google's token endpoint is left alone after a failure that followed `failures` others; ± 25 % by `unit`, which is in
/// 0.0 to 1.0.
#[must_use]
pub fn refresh_pause(failures: u32, unit: f64) -> Duration {
    let (first, doublings) = match (failures + 1).checked_sub(EXHAUSTED_AFTER) {
        Some(doublings) => (FIRST_EXHAUSTED, doublings),
        None => (FIRST_PAUSE, failures),
    };
    let doublings = i32::try_from(doublings.min(16)).unwrap_or(16);
    let seconds = (first * 2.0_f64.powi(doublings)).min(LONGEST_PAUSE);
    Duration::from_secs_f64(seconds * (0.75 + unit.clamp(0.0, 1.0) / 2.0))
}
