//! What a person chose for a Google Photos account, and what Google must have granted for it.

use chrono::{DateTime, Datelike as _, Utc};
use serde::{Deserialize, Serialize};

use super::{BatchError, BatchOptions, ProxyUrl};
use crate::quota::CloudProject;

/// The year of the oldest photograph that there is.
const FIRST_PHOTO: i32 = 1826;

/// What an app may do with an account. Google writes each as a URL that ends with [`GoogleScope::name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GoogleScope {
    /// List, search and fetch what the app itself uploaded.
    Read,
    /// Upload, and make albums.
    Append,
    /// Change descriptions, and what is in albums.
    Edit,
    /// Fetch what a person picks in Google's Picker.
    Pick,
}

impl GoogleScope {
    /// The end of the scope's URL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "photoslibrary.readonly.appcreateddata",
            Self::Append => "photoslibrary.appendonly",
            Self::Edit => "photoslibrary.edit.appcreateddata",
            Self::Pick => "photospicker.mediaitems.readonly",
        }
    }

    /// Whether it is among `granted`, which are URLs as Google writes them.
    #[must_use]
    pub fn is_in(self, granted: &[String]) -> bool {
        let name = self.name();
        granted
            .iter()
            .any(|scope| scope.rsplit('/').next() == Some(name))
    }
}

/// The settings of a Google Photos account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GooglePhotosSettings {
    /// The cloud project that Google counts quota for.
    pub project: CloudProject,
    /// Nothing is ever uploaded to it, and only reading is asked for.
    #[serde(default)]
    pub read_only: bool,
    /// Items created before this year are not copied.
    pub start_year: i32,
    /// Whether archived items appear in listings. Items in albums always do.
    pub include_archived: bool,
    /// One extra request an item to learn its size before the download.
    pub read_size: bool,
    /// How items are made of bytes that were sent.
    #[serde(default)]
    pub batch: BatchOptions,
    /// A full-resolution proxy that downloads are tried at first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<ProxyUrl>,
    /// When start year or archived items were changed last: a run from before has seen another part of the library.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listing_changed_at: Option<DateTime<Utc>>,
}

/// A start year that cannot be meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum YearError {
    /// Before there were photographs.
    #[error("start_year: {0} is before the first photograph; choose a year from {FIRST_PHOTO} on")]
    TooEarly(i32),
    /// Nothing would be copied.
    #[error(
        "start_year: {0} has not begun, so nothing would be copied; choose this year or an earlier one"
    )]
    InTheFuture(i32),
}

/// An option of an account that cannot be meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// The start year.
    #[error(transparent)]
    Year(#[from] YearError),
    /// How items are made.
    #[error(transparent)]
    Batch(#[from] BatchError),
}

impl GooglePhotosSettings {
    /// The defaults of a new storage: read and write, from 2000 on, without archived items, sizes not asked, no proxy.
    #[must_use]
    pub const fn new(project: CloudProject) -> Self {
        Self {
            project,
            read_only: false,
            start_year: 2000,
            include_archived: false,
            read_size: false,
            batch: BatchOptions {
                mode: super::BatchMode::Sync,
                size: 0,
                timeout_seconds: 0,
            },
            proxy: None,
            listing_changed_at: None,
        }
    }

    /// Checks what can be wrong with them.
    ///
    /// # Errors
    /// The first option that cannot be meant.
    pub fn check(&self, now: DateTime<Utc>) -> Result<(), OptionError> {
        self.batch.check()?;
        Ok(self.check_year(now)?)
    }

    fn check_year(&self, now: DateTime<Utc>) -> Result<(), YearError> {
        // The year begins first in the east: by up to 14 hours.
        let this_year = (now + chrono::TimeDelta::hours(14)).year();
        match self.start_year {
            year if year < FIRST_PHOTO => Err(YearError::TooEarly(year)),
            year if year > this_year => Err(YearError::InTheFuture(year)),
            _ => Ok(()),
        }
    }

    /// What a person who signs in is asked for: what must be granted, and picking, which one may leave out until it is wanted.
    #[must_use]
    pub fn asked_scopes(&self) -> Vec<GoogleScope> {
        let mut asked = self.scopes().to_vec();
        asked.push(GoogleScope::Pick);
        asked
    }

    /// What Google must have granted.
    #[must_use]
    pub const fn scopes(&self) -> &'static [GoogleScope] {
        if self.read_only {
            &[GoogleScope::Read]
        } else {
            &[GoogleScope::Read, GoogleScope::Append, GoogleScope::Edit]
        }
    }

    /// The same settings as a change of `before`, made at `now`.
    #[must_use]
    pub fn changed_from(mut self, before: &Self, now: DateTime<Utc>) -> Self {
        let is_other_part = self.start_year != before.start_year
            || self.include_archived != before.include_archived;
        self.listing_changed_at = if is_other_part {
            Some(now)
        } else {
            before.listing_changed_at
        };
        self
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone as _;

    use super::*;

    fn settings() -> GooglePhotosSettings {
        GooglePhotosSettings::new("123".parse().unwrap())
    }

    #[test]
    fn a_start_year_lies_between_the_first_photograph_and_now() {
        let now = Utc.with_ymd_and_hms(2026, 12, 31, 9, 0, 0).unwrap();
        let of = |start_year| GooglePhotosSettings {
            start_year,
            ..settings()
        };
        for year in [1826, 2000, 2026] {
            assert_eq!(of(year).check(now), Ok(()));
        }
        assert_eq!(
            of(1825).check(now),
            Err(OptionError::Year(YearError::TooEarly(1825)))
        );
        assert_eq!(
            of(2027).check(now),
            Err(OptionError::Year(YearError::InTheFuture(2027)))
        );
        // In Kiribati it is tomorrow already.
        let later = now + chrono::TimeDelta::hours(2);
        assert_eq!(of(2027).check(later), Ok(()));
    }

    #[test]
    fn a_scope_is_known_by_the_end_of_its_url() {
        let granted = [
            "openid".to_owned(),
            "https://www.googleapis.com/auth/photoslibrary.appendonly".to_owned(),
            "https://www.googleapis.com/auth/x.photoslibrary.edit.appcreateddata".to_owned(),
        ];
        assert!(GoogleScope::Append.is_in(&granted));
        assert!(!GoogleScope::Read.is_in(&granted));
        assert!(!GoogleScope::Edit.is_in(&granted));
    }

    #[test]
    fn only_what_changes_the_listing_is_noted_as_such() {
        let now = DateTime::UNIX_EPOCH;
        let before = settings();
        let mut sized = before.clone();
        sized.read_size = true;
        assert_eq!(sized.changed_from(&before, now).listing_changed_at, None);
        let mut older = before.clone();
        older.start_year = 1990;
        let older = older.changed_from(&before, now);
        assert_eq!(older.listing_changed_at, Some(now));
        let mut named = older.clone();
        named.read_only = true;
        named.listing_changed_at = None;
        let later = now + chrono::TimeDelta::days(1);
        assert_eq!(
            named.changed_from(&older, later).listing_changed_at,
            Some(now)
        );
    }
}
