//! What every quota counter promises. Each case takes a factory that makes a counter over the given ledger, limits and
//! clock; an adapter runs all of them.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use tintype_model::quota::{CloudProject, QuotaKind, QuotaLimits};

use crate::{
    Clock, Quota,
    fake::{ManualClock, MemoryLedger},
    quota::QuotaError,
    store::QuotaLedger,
};

/// An ordinary morning in Los Angeles.
pub const MORNING: &str = "2026-06-10T16:00:00Z";

/// What a counter is made of.
#[derive(Clone)]
pub struct Parts {
    /// The ledger that all counters of a case share.
    pub ledger: Arc<dyn QuotaLedger>,
    /// Units a day, equal for every project.
    pub limits: QuotaLimits,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Parts {
    /// Parts over a new ledger with `limit` units of each kind, at the instant that `now` spells in RFC 3339.
    ///
    /// # Panics
    /// When `now` is no instant.
    #[must_use]
    pub fn new(now: &str, limit: u64) -> (Self, Arc<MemoryLedger>, Arc<ManualClock>) {
        let ledger = Arc::new(MemoryLedger::new());
        let clock = Arc::new(ManualClock::new(instant(now)));
        let limits = QuotaLimits {
            requests_per_day: limit,
            downloads_per_day: limit,
        };
        let parts = Self {
            ledger: Arc::<MemoryLedger>::clone(&ledger),
            limits,
            clock: Arc::<ManualClock>::clone(&clock),
        };
        (parts, ledger, clock)
    }
}

#[expect(
    clippy::expect_used,
    reason = "a suite panics when its own constants are wrong"
)]
fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant in RFC 3339")
}

#[expect(
    clippy::expect_used,
    reason = "a suite panics when its own constants are wrong"
)]
fn project(number: u8) -> CloudProject {
    format!("{number}").parse().expect("a project number")
}

/// Spends one request of project 1; `false` when the day is used up.
///
/// # Panics
/// On any other failure.
pub async fn spend_one(quota: &Arc<dyn Quota>) -> bool {
    spend(quota, 1).await
}

async fn spend(quota: &Arc<dyn Quota>, units: u32) -> bool {
    match quota.spend(&project(1), QuotaKind::Request, units).await {
        Ok(()) => true,
        Err(QuotaError::Exhausted { .. }) => false,
        Err(QuotaError::Ledger(error)) => panic!("the ledger failed: {error}"),
    }
}

async fn spend_until_refused(quota: &Arc<dyn Quota>) -> u64 {
    let mut spent = 0;
    while spend_one(quota).await {
        spent += 1;
    }
    spent
}

/// Four counters over one ledger, used at once, never hand out more than the limit.
pub async fn counters_together_never_exceed_the_limit<F: Future<Output = Arc<dyn Quota>>>(
    make: impl Fn(Parts) -> F,
) {
    for limit in [1, 7, 100, 1_003] {
        let (parts, _, _) = Parts::new(MORNING, limit);
        let counters = join_all((0..4).map(|_| make(parts.clone()))).await;
        // Three callers on each counter, on as many threads as the test's runtime has.
        let callers = counters.iter().cycle().take(12).map(|counter| {
            let counter = Arc::clone(counter);
            tokio::spawn(async move { spend_until_refused(&counter).await })
        });
        let mut spent = 0;
        for caller in callers.collect::<Vec<_>>() {
            match caller.await {
                Ok(units) => spent += units,
                Err(error) => panic!("a caller failed: {error}"),
            }
        }
        assert!(spent <= limit, "{spent} of {limit} units were spent");
        assert!(
            spent * 100 >= limit * 98,
            "only {spent} of {limit} units could be spent"
        );
    }
}

/// One counter can spend the whole limit, to the last unit.
pub async fn every_unit_of_the_day_can_be_spent<F: Future<Output = Arc<dyn Quota>>>(
    make: impl Fn(Parts) -> F,
) {
    let (parts, _, _) = Parts::new(MORNING, 2_500);
    let quota = make(parts).await;
    assert_eq!(spend_until_refused(&quota).await, 2_500);
    assert!(!spend_one(&quota).await);
}

/// Units that a dead counter had leased are lost for the day, not handed out again.
pub async fn a_crash_costs_units_but_never_overspends<F: Future<Output = Arc<dyn Quota>>>(
    make: impl Fn(Parts) -> F,
) {
    let (parts, _, _) = Parts::new(MORNING, 500);
    let mut spent = 0;
    for _ in 0..20 {
        let quota = make(parts.clone()).await;
        for _ in 0..3 {
            spent += u64::from(spend_one(&quota).await);
        }
    }
    spent += spend_until_refused(&make(parts).await).await;
    assert!(spent <= 500, "{spent} units were spent after crashes");
    assert!(spent >= 250, "crashes cost all but {spent} units");
}

/// After a clean stop another counter can spend what was left.
pub async fn units_given_back_can_be_spent_elsewhere<F: Future<Output = Arc<dyn Quota>>>(
    make: impl Fn(Parts) -> F,
) {
    let (parts, ledger, clock) = Parts::new(MORNING, 300);
    let first = make(parts.clone()).await;
    let second = make(parts.clone()).await;
    assert!(spend_one(&first).await);
    let spent = spend_until_refused(&second).await;
    give_back(&first).await;
    // A counter need not ask a ledger again at once that had nothing.
    clock.advance(TimeDelta::minutes(1));
    assert_eq!(1 + spent + spend_until_refused(&second).await, 300);
    give_back(&first).await;
    give_back(&second).await;
    assert_eq!(leased(&ledger, &clock).await, 300);
}

async fn give_back(quota: &Arc<dyn Quota>) {
    assert!(
        quota.give_back().await.is_ok(),
        "units could not be given back"
    );
}

async fn leased(ledger: &MemoryLedger, clock: &ManualClock) -> u64 {
    let day = tintype_model::quota::QuotaDay::at(clock.now());
    ledger
        .leased_units(&project(1), QuotaKind::Request, day)
        .await
        .unwrap_or(u64::MAX)
}

/// Units left from yesterday are not spent today: today's limit is all there is.
pub async fn a_new_day_begins_with_its_own_units<F: Future<Output = Arc<dyn Quota>>>(
    make: impl Fn(Parts) -> F,
) {
    let (parts, _, clock) = Parts::new("2026-06-11T06:59:50Z", 400);
    let quota = make(parts).await;
    assert!(spend_one(&quota).await);
    clock.set(instant("2026-06-11T07:00:01Z"));
    assert_eq!(spend_until_refused(&quota).await, 400);
    // A clock that is set back finds yesterday's ledger, not a fresh day.
    clock.set(instant("2026-06-11T06:59:50Z"));
    assert!(spend_until_refused(&quota).await < 400);
}

/// A call that is admitted right before midnight reaches Google after it, and counts there on the new day: in the moments
/// around midnight none is admitted, and the answer says when that is over.
pub async fn nothing_is_admitted_around_midnight<F: Future<Output = Arc<dyn Quota>>>(
    make: impl Fn(Parts) -> F,
) {
    let (parts, ledger, clock) = Parts::new("2026-06-11T06:59:57.9Z", 100);
    let quota = make(parts).await;
    assert!(spend_one(&quota).await);
    let resumes = instant("2026-06-11T07:00:01Z");
    for held in [
        "2026-06-11T06:59:58Z",
        "2026-06-11T06:59:59.999Z",
        "2026-06-11T07:00:00Z",
        "2026-06-11T07:00:00.999Z",
    ] {
        clock.set(instant(held));
        match quota.spend(&project(1), QuotaKind::Request, 1).await {
            Err(QuotaError::Exhausted { resumes_at, .. }) => {
                assert_eq!(resumes_at, resumes, "at {held}");
            }
            other => panic!("{other:?} at {held}"),
        }
    }
    // Google's word about a call from before midnight does not end the new day.
    clock.set(instant("2026-06-11T07:00:01Z"));
    let told = quota
        .mark_exhausted(&project(1), QuotaKind::Request)
        .await
        .ok();
    assert_eq!(told, Some(resumes));
    assert_eq!(leased(&ledger, &clock).await, 0);
    assert_eq!(spend_until_refused(&quota).await, 100);
}

/// Both days on which clocks change have one limit, and the next day begins at midnight of Los Angeles.
pub async fn days_of_23_and_25_hours_have_one_limit_each<F: Future<Output = Arc<dyn Quota>>>(
    make: impl Fn(Parts) -> F,
) {
    for (begins, ends) in [
        ("2026-03-08T08:00:00Z", "2026-03-09T07:00:00Z"),
        ("2026-11-01T07:00:00Z", "2026-11-02T08:00:00Z"),
    ] {
        let (parts, _, clock) = Parts::new(begins, 60);
        let quota = make(parts).await;
        clock.advance(TimeDelta::seconds(5));
        let mut spent = 0;
        while clock.now() < instant(ends) {
            spent += u64::from(spend(&quota, 2).await) * 2;
            clock.advance(TimeDelta::minutes(15));
        }
        assert_eq!(spent, 60, "on the day that begins at {begins}");
        assert_eq!(spend_until_refused(&quota).await, 60, "on the day after");
        let standing = quota.standing(&project(1), QuotaKind::Request).await;
        let resets_at = standing.map(|it| it.resets_at).ok();
        assert_eq!(resets_at, Some(instant(ends) + TimeDelta::days(1)));
    }
}

/// Nothing is spent on a day that was marked exhausted, by any counter that has nothing leased; the next day is free.
pub async fn a_day_that_google_calls_over_is_over<F: Future<Output = Arc<dyn Quota>>>(
    make: impl Fn(Parts) -> F,
) {
    let (parts, _, clock) = Parts::new(MORNING, 1_000);
    let quota = make(parts.clone()).await;
    assert!(spend_one(&quota).await);
    let resumes_at = quota
        .mark_exhausted(&project(1), QuotaKind::Request)
        .await
        .ok();
    assert_eq!(resumes_at, Some(instant("2026-06-11T07:00:01Z")));
    assert!(!spend_one(&quota).await);
    give_back(&quota).await;
    clock.advance(TimeDelta::minutes(1));
    assert!(!spend_one(&quota).await && !spend_one(&make(parts).await).await);
    clock.set(instant("2026-06-11T07:00:01Z"));
    assert!(spend_one(&quota).await);
}

/// While the ledger fails, a counter without leased units says so and spends nothing; afterwards all is there.
pub async fn nothing_is_spent_while_the_ledger_fails<F: Future<Output = Arc<dyn Quota>>>(
    make: impl Fn(Parts) -> F,
) {
    let (parts, ledger, _) = Parts::new(MORNING, 50);
    let quota = make(parts).await;
    ledger.set_failing(true);
    for _ in 0..3 {
        let result = quota.spend(&project(1), QuotaKind::Request, 1).await;
        assert!(matches!(result, Err(QuotaError::Ledger(_))), "{result:?}");
    }
    ledger.set_failing(false);
    assert_eq!(spend_until_refused(&quota).await, 50);
}

/// A spend that does not fit changes nothing; a smaller one still fits.
pub async fn spending_is_all_or_nothing<F: Future<Output = Arc<dyn Quota>>>(
    make: impl Fn(Parts) -> F,
) {
    let (parts, _, _) = Parts::new(MORNING, 10);
    let quota = make(parts).await;
    assert!(spend(&quota, 7).await && !spend(&quota, 4).await);
    assert!(spend(&quota, 3).await && !spend(&quota, 1).await);
}

/// Each project and each kind has a limit of its own.
pub async fn projects_and_kinds_are_counted_apart<F: Future<Output = Arc<dyn Quota>>>(
    make: impl Fn(Parts) -> F,
) {
    let (parts, _, _) = Parts::new(MORNING, 5);
    let quota = make(parts).await;
    for (number, kind) in [
        (1, QuotaKind::Request),
        (1, QuotaKind::Download),
        (2, QuotaKind::Request),
    ] {
        let result = quota.spend(&project(number), kind, 5).await;
        assert!(result.is_ok(), "project {number}, {kind:?}: {result:?}");
        let result = quota.spend(&project(number), kind, 1).await;
        assert!(
            matches!(result, Err(QuotaError::Exhausted { .. })),
            "{result:?}"
        );
    }
}
