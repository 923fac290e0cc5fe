//! The pool in Redis that all processes take from: units that the ledger leased and that are in nobody's purse.
//!
//! It is never believed beyond doubt. Each change carries the life of the server's data and a number that grows; a pool
//! that is missing, of another life or older than what was seen has no units. What a question did to it whose answer never
//! came is not known, so the units of that question are never used again.

use std::sync::LazyLock;

use redis::Script;
use tintype_model::quota::{CloudProject, QuotaDay, QuotaKind};

use super::link::{Link, LinkError};
use crate::measure;

static POOL: LazyLock<Script> =
    LazyLock::new(|| Script::new(concat!(include_str!("life.lua"), include_str!("pool.lua"))));
static OVER: LazyLock<Script> =
    LazyLock::new(|| Script::new(concat!(include_str!("life.lua"), include_str!("over.lua"))));

/// A pool is kept for longer than any quota day lasts.
const SECONDS_KEPT: u32 = 48 * 3_600;

/// Where a pool is, and what the caller saw of it last.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) project: CloudProject,
    pub(super) kind: QuotaKind,
    pub(super) day: QuotaDay,
    /// The highest number that was seen, 0 for none.
    pub(super) seen: u64,
}

/// How much to take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taking {
    /// This many if there are as many; 0 takes nothing.
    pub(super) least: u64,
    /// More than `least` only as far as this,
    pub(super) most: u64,
    /// and this, which depends on the limit of the day,
    pub(super) share_of_day: u64,
    /// and this part of all that is left of the day,
    pub(super) parts_of_rest: u64,
    /// or this many if that is more.
    pub(super) floor: u64,
}

impl Taking {
    pub(super) const NOTHING: Self = Self {
        least: 0,
        most: 0,
        share_of_day: 0,
        parts_of_rest: 1,
        floor: 0,
    };
    /// More units than this are in no pool; Lua counts exactly up to 2⁵³.
    const ALL: u64 = 1 << 50;
    pub(super) const EVERYTHING: Self = Self {
        least: Self::ALL,
        most: Self::ALL,
        share_of_day: Self::ALL,
        parts_of_rest: 1,
        floor: 0,
    };
}

/// What the pool answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer {
    pub(super) taken: u64,
    /// Units in the pool now.
    pub(super) left: u64,
    /// The pool's number now.
    pub(super) number: u64,
    /// Google called the day over.
    pub(super) is_over: bool,
}

/// The pools of an install.
#[derive(Debug)]
pub(super) struct Pools {
    pub(super) link: Link,
    prefix: String,
}

impl Pools {
    pub(super) const fn new(link: Link, prefix: String) -> Self {
        Self { link, prefix }
    }

    fn key(&self, at: &Place) -> String {
        format!(
            "{}:quota:{}:{}:{}",
            self.prefix,
            at.project,
            at.kind.as_str(),
            at.day.date()
        )
    }

    /// Puts `put` units in, then takes some out. `not_leased`: units of the day that the ledger still has, if known.
    pub(super) async fn change(
        &self,
        at: &Place,
        put: u64,
        not_leased: Option<u64>,
        taking: Taking,
    ) -> Result<Answer, LinkError> {
        measure::round_trip();
        let mut call = POOL.key(self.key(at));
        call.arg(at.seen)
            .arg(SECONDS_KEPT)
            .arg(put)
            .arg(not_leased.map_or_else(String::new, |units| units.to_string()))
            .arg(taking.least)
            .arg(taking.most)
            .arg(taking.share_of_day)
            .arg(taking.parts_of_rest)
            .arg(taking.floor);
        let (taken, left, number, over, lost): (u64, u64, u64, u8, u8) =
            self.link.run(&call).await?;
        if lost == 1 {
            measure::rebuild();
            tracing::warn!(
                quota.project = %at.project,
                quota.kind = at.kind.as_str(),
                "the pool of leased quota in redis was lost or not to be trusted; its units are given up for today"
            );
        }
        Ok(Answer {
            taken,
            left,
            number,
            is_over: over == 1,
        })
    }

    /// Remembers for all processes that Google called the day over. Answers the pool's number.
    pub(super) async fn end(&self, at: &Place) -> Result<u64, LinkError> {
        measure::round_trip();
        let mut call = OVER.key(self.key(at));
        call.arg(at.seen).arg(SECONDS_KEPT);
        self.link.run(&call).await
    }
}
