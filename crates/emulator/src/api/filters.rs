//! Search filters: dates, media types, favourites, archive.

use chrono::NaiveDate;
use serde_json::Value;

use super::error::ApiError;
use crate::clock::civil;
use crate::state::item::Facts;

const DAY_MS: i64 = 86_400_000;

/// A year, month and day; 0 stands for any.
type Ymd = (i64, i64, i64);

/// Filters as they were asked for.
#[derive(Debug, Default)]
pub(crate) struct Filters {
    dates: Vec<Ymd>,
    ranges: Vec<(Ymd, Ymd)>,
    pub(crate) has_dates: bool,
    /// `Some(true)` videos only, `Some(false)` photos only.
    video: Option<bool>,
    favorites: bool,
    /// A content category was asked for; the emulator's items have none.
    category: bool,
    include_archived: bool,
}

impl Filters {
    pub(crate) fn parse(filters: &Value) -> Result<Self, ApiError> {
        let mut out = Self::default();
        let dates = &filters["dateFilter"];
        out.has_dates = dates.is_object();
        for date in list(&dates["dates"], 5, "dates")? {
            out.dates.push(ymd(date)?);
        }
        for range in list(&dates["ranges"], 5, "ranges")? {
            let (start, end) = (ymd(&range["startDate"])?, ymd(&range["endDate"])?);
            if start.0 == 0 || end.0 == 0 || first(start) > last(end) {
                return Err(ApiError::invalid(
                    "Invalid date range in filters.dateFilter.",
                ));
            }
            out.ranges.push((start, end));
        }
        let types = list(&filters["mediaTypeFilter"]["mediaTypes"], 1, "mediaTypes")?;
        if filters["mediaTypeFilter"].is_object() && types.len() != 1 {
            return Err(ApiError::invalid(
                "mediaTypeFilter must hold exactly one media type.",
            ));
        }
        out.video = match types.first().and_then(|kind| kind.as_str()) {
            None | Some("ALL_MEDIA") => None,
            Some("PHOTO") => Some(false),
            Some("VIDEO") => Some(true),
            Some(_) => return Err(ApiError::invalid("Invalid media type.")),
        };
        for feature in list(
            &filters["featureFilter"]["includedFeatures"],
            10,
            "features",
        )? {
            match feature.as_str() {
                Some("NONE") => {}
                Some("FAVORITES") => out.favorites = true,
                _ => return Err(ApiError::invalid("Invalid feature.")),
            }
        }
        let categories = list(
            &filters["contentFilter"]["includedContentCategories"],
            10,
            "categories",
        )?;
        out.category = categories
            .iter()
            .any(|category| category.as_str() != Some("NONE"));
        out.include_archived = filters["includeArchivedMedia"].as_bool().unwrap_or(false);
        Ok(out)
    }

    pub(crate) fn keeps(&self, facts: &Facts<'_>) -> bool {
        (self.include_archived || !facts.archived)
            && self.video.is_none_or(|video| video == facts.is_video())
            && (!self.favorites || facts.favorite)
            && !self.category
            && self.keeps_date(facts.created_ms)
    }

    fn keeps_date(&self, created_ms: i64) -> bool {
        if !self.has_dates || (self.dates.is_empty() && self.ranges.is_empty()) {
            return true;
        }
        let day = civil(created_ms.div_euclid(DAY_MS));
        let fits = |asked: i64, found: i64| asked == 0 || asked == found;
        self.dates
            .iter()
            .any(|(y, m, d)| fits(*y, day.0) && fits(*m, day.1) && fits(*d, day.2))
            || self
                .ranges
                .iter()
                .any(|(start, end)| first(*start) <= day && day <= last(*end))
    }

    /// First and last-plus-one millisecond that can match, so that a search need not read everything.
    pub(crate) fn bounds(&self) -> (i64, i64) {
        let anything = (i64::MIN, i64::MAX);
        let any_year = self.dates.iter().any(|date| date.0 == 0);
        if !self.has_dates || any_year || (self.dates.is_empty() && self.ranges.is_empty()) {
            return anything;
        }
        let spans = self.dates.iter().map(|date| (first(*date), last(*date)));
        let ranges = self
            .ranges
            .iter()
            .map(|(start, end)| (first(*start), last(*end)));
        let mut bounds = (i64::MAX, i64::MIN);
        for (start, end) in spans.chain(ranges) {
            bounds.0 = bounds.0.min(start_ms(start));
            bounds.1 = bounds.1.max(start_ms(end).saturating_add(DAY_MS));
        }
        bounds
    }
}

fn list<'a>(value: &'a Value, most: usize, what: &str) -> Result<&'a [Value], ApiError> {
    let items = value.as_array().map_or(&[][..], Vec::as_slice);
    if items.len() > most {
        return Err(ApiError::invalid(format!(
            "At most {most} {what} are allowed in a filter."
        )));
    }
    Ok(items)
}

fn ymd(date: &Value) -> Result<Ymd, ApiError> {
    let part = |name: &str| date[name].as_i64().unwrap_or(0);
    let found = (part("year"), part("month"), part("day"));
    let valid = (0..=9999).contains(&found.0)
        && (0..=12).contains(&found.1)
        && (0..=31).contains(&found.2)
        && found != (0, 0, 0)
        && !(found.1 == 0 && found.2 != 0);
    if valid {
        Ok(found)
    } else {
        Err(ApiError::invalid("Invalid date in filters.dateFilter."))
    }
}

fn first((y, m, d): Ymd) -> Ymd {
    (y, m.max(1), d.max(1))
}

fn last((y, m, d): Ymd) -> Ymd {
    (y, if m == 0 { 12 } else { m }, if d == 0 { 31 } else { d })
}

/// The first millisecond of a day; the 31st of a short month counts as its last day.
fn start_ms((y, m, d): Ymd) -> i64 {
    let year = i32::try_from(y).unwrap_or(0);
    let (month, day) = (u32::try_from(m).unwrap_or(1), u32::try_from(d).unwrap_or(1));
    (0..4)
        .find_map(|less| NaiveDate::from_ymd_opt(year, month, day.saturating_sub(less)))
        .and_then(|date| date.and_hms_opt(0, 0, 0))
        .map_or(0, |midnight| midnight.and_utc().timestamp_millis())
}
