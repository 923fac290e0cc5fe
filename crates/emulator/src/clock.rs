//! The emulator's clock: the real one plus an offset, so that a test can move Google's day without waiting.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{TimeZone as _, Utc};
use chrono_tz::America::Los_Angeles;

/// The emulator's idea of "now". All expiries and quota days follow it.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    offset_ms: AtomicI64,
}

impl Clock {
    /// Milliseconds since the Unix epoch, offset included.
    pub(crate) fn now_ms(&self) -> i64 {
        #[expect(
            clippy::disallowed_methods,
            reason = "the emulator stands for Google: this is the one place where it reads the system clock"
        )]
        let real = Utc::now().timestamp_millis();
        real.saturating_add(self.offset_ms.load(Ordering::Relaxed))
    }

    pub(crate) fn offset_ms(&self) -> i64 {
        self.offset_ms.load(Ordering::Relaxed)
    }

    pub(crate) fn set_offset_ms(&self, offset: i64) {
        self.offset_ms.store(offset, Ordering::Relaxed);
    }
}

/// The quota day in Los Angeles that holds `now_ms`: its date as `YYYY-MM-DD`, and its first and last-plus-one millisecond.
pub(crate) fn pacific_day(now_ms: i64) -> (String, i64, i64) {
    let now = Utc
        .timestamp_millis_opt(now_ms)
        .single()
        .unwrap_or_default();
    let date = now.with_timezone(&Los_Angeles).date_naive();
    let midnight = |date: chrono::NaiveDate| {
        date.and_hms_opt(0, 0, 0)
            .and_then(|naive| Los_Angeles.from_local_datetime(&naive).earliest())
            .map_or(now_ms, |local| local.timestamp_millis())
    };
    let next = date.succ_opt().unwrap_or(date);
    (date.to_string(), midnight(date), midnight(next))
}

/// RFC 3339 in UTC with whole seconds, or milliseconds where there are any: the form Google answers.
pub(crate) fn rfc3339(ms: i64) -> String {
    let mut text = String::with_capacity(24);
    push_rfc3339(&mut text, ms);
    text
}

/// Appends what [`rfc3339`] returns; made by hand because a listing page writes a hundred of them.
pub(crate) fn push_rfc3339(out: &mut String, ms: i64) {
    let seconds = ms.div_euclid(1000);
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let of_day = seconds.rem_euclid(86_400);
    push_padded(out, year, 4);
    out.push('-');
    push_padded(out, month, 2);
    out.push('-');
    push_padded(out, day, 2);
    out.push('T');
    push_padded(out, of_day / 3600, 2);
    out.push(':');
    push_padded(out, of_day / 60 % 60, 2);
    out.push(':');
    push_padded(out, of_day % 60, 2);
    let millis = ms.rem_euclid(1000);
    if millis != 0 {
        out.push('.');
        push_padded(out, millis, 3);
    }
    out.push('Z');
}

/// The form EXIF uses, `YYYY:MM:DD HH:MM:SS` in UTC: always 19 characters for years 0 to 9999.
pub(crate) fn exif_date(ms: i64) -> String {
    let seconds = ms.div_euclid(1000);
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let of_day = seconds.rem_euclid(86_400);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}:{month:02}:{day:02} {hour:02}:{minute:02}:{second:02}")
}

fn push_padded(out: &mut String, value: i64, width: u32) {
    for place in (0..width).rev() {
        let digit = u8::try_from(value / 10_i64.pow(place) % 10).unwrap_or(0);
        out.push(char::from(b'0' + digit));
    }
}

/// Year, month and day of a day number since 1970-01-01 (Howard Hinnant's `civil_from_days`).
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_google_writes_them() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_782_400_000), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(exif_date(1_767_225_599_000), "2025:12:31 23:59:59");
    }

    #[test]
    fn the_quota_day_has_25_hours_when_clocks_go_back() {
        let noon = Utc.with_ymd_and_hms(2025, 11, 2, 20, 0, 0).unwrap();
        let (date, start, end) = pacific_day(noon.timestamp_millis());
        assert_eq!(date, "2025-11-02");
        assert_eq!(end - start, 25 * 3_600_000);
    }

    #[test]
    fn the_quota_day_has_23_hours_when_clocks_go_forward() {
        let noon = Utc.with_ymd_and_hms(2025, 3, 9, 20, 0, 0).unwrap();
        let (_, start, end) = pacific_day(noon.timestamp_millis());
        assert_eq!(end - start, 23 * 3_600_000);
    }
}
