//! The times before a death at which its person is warned.

use chrono::{DateTime, TimeDelta, Utc};

/// A time before a death.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Deadline {
    /// 72 hours before.
    ThreeDays,
    /// 24 hours before.
    OneDay,
    /// 2 hours before.
    TwoHours,
}

/// What a person was told last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Warned {
    /// Of which death.
    pub dies_at: DateTime<Utc>,
    /// How long before it.
    pub deadline: Deadline,
}

impl Deadline {
    /// All of them, the earliest first.
    pub const ALL: [Self; 3] = [Self::ThreeDays, Self::OneDay, Self::TwoHours];

    /// Hours before the death.
    #[must_use]
    pub const fn hours(self) -> u32 {
        match self {
            Self::ThreeDays => 72,
            Self::OneDay => 24,
            Self::TwoHours => 2,
        }
    }

    /// The one with so many hours.
    #[must_use]
    pub fn of_hours(hours: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.hours() == hours)
    }

    /// The latest that has come; none of a death that has passed.
    pub(super) fn reached(dies_at: DateTime<Utc>, now: DateTime<Utc>) -> Option<Self> {
        let left = dies_at - now;
        let has_come = |it: &Self| left <= TimeDelta::hours(i64::from(it.hours()));
        let mut latest_first = Self::ALL.into_iter().rev();
        latest_first.find(has_come).filter(|_| now < dies_at)
    }

    pub(super) const fn is_at_least_as_near(self, other: Self) -> bool {
        self.hours() <= other.hours()
    }
}
