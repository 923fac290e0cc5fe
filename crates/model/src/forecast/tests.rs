use proptest::prelude::*;

use super::*;

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

fn limits(requests: u64, downloads: u64) -> QuotaLimits {
    QuotaLimits {
        requests_per_day: requests,
        downloads_per_day: downloads,
    }
}

fn every_day(requests: u64, downloads: u64) -> Budget {
    Budget {
        left_today: limits(requests, downloads),
        per_day: limits(requests, downloads),
    }
}

const NOON: &str = "2026-06-10T19:00:00Z";

#[test]
fn nothing_left_is_done_now() {
    let work = Work {
        items: 0,
        requests: 0,
    };
    let done = forecast(utc(NOON), work, every_day(0, 0), Share::WHOLE, None);
    assert_eq!(
        done,
        Some(Forecast {
            done_by: utc(NOON),
            quota_days: 0,
            limited_by: LimitedBy::Rate
        })
    );
}

#[test]
fn enough_quota_leaves_the_rate_to_decide() {
    let work = Work {
        items: 36_000,
        requests: 800,
    };
    let budget = every_day(10_000, 75_000);
    let done = forecast(utc(NOON), work, budget, Share::WHOLE, Some(10.0));
    assert_eq!(
        done,
        Some(Forecast {
            done_by: utc("2026-06-10T20:00:00Z"),
            quota_days: 1,
            limited_by: LimitedBy::Rate
        })
    );
    let unknown = forecast(utc(NOON), work, budget, Share::WHOLE, None);
    assert_eq!(
        unknown.map(|it| it.done_by),
        Some(utc("2026-06-11T07:00:00Z"))
    );
}

#[test]
fn downloads_beyond_a_day_wait_for_midnight_in_los_angeles() {
    let work = Work {
        items: 200_000,
        requests: 4_000,
    };
    let budget = Budget {
        left_today: limits(10_000, 50_000),
        per_day: limits(10_000, 75_000),
    };
    let done = forecast(utc(NOON), work, budget, Share::WHOLE, Some(100.0));
    // 50,000 today, 75,000 tomorrow, 75,000 in 750 s of the day after.
    assert_eq!(
        done,
        Some(Forecast {
            done_by: utc("2026-06-12T07:12:30Z"),
            quota_days: 3,
            limited_by: LimitedBy::Downloads
        })
    );
}

#[test]
fn a_tenth_of_the_project_takes_ten_times_the_days() {
    let work = Work {
        items: 75_000,
        requests: 0,
    };
    let share = Share { weight: 1, of: 10 };
    let done = forecast(utc(NOON), work, every_day(10_000, 75_000), share, None);
    assert_eq!(done.map(|it| it.quota_days), Some(10));
}

#[test]
fn requests_hold_up_a_run_of_many_calls() {
    let work = Work {
        items: 1_000,
        requests: 25_000,
    };
    let done = forecast(
        utc(NOON),
        work,
        every_day(10_000, 75_000),
        Share::WHOLE,
        Some(50.0),
    );
    assert_eq!(
        done.map(|it| (it.quota_days, it.limited_by)),
        Some((3, LimitedBy::Requests))
    );
}

#[test]
fn a_slow_line_counts_the_hours_of_both_odd_days() {
    for (begins, hours) in [("2026-03-08T08:00:00Z", 23), ("2026-11-01T07:00:00Z", 25)] {
        let work = Work {
            items: hours * 3_600 + 1,
            requests: 0,
        };
        let done = forecast(
            utc(begins),
            work,
            every_day(1_000_000, 1_000_000),
            Share::WHOLE,
            Some(1.0),
        )
        .expect("a forecast");
        assert_eq!((done.quota_days, done.limited_by), (2, LimitedBy::Rate));
        let hours = i64::try_from(hours).expect("few hours");
        assert_eq!(
            done.done_by,
            utc(begins) + TimeDelta::hours(hours) + TimeDelta::seconds(1)
        );
    }
}

#[test]
fn without_any_quota_it_is_never_done() {
    let work = Work {
        items: 1,
        requests: 0,
    };
    let done = forecast(utc(NOON), work, every_day(10, 0), Share::WHOLE, Some(1.0));
    assert_eq!(done, None);
}

proptest! {
    #[test]
    fn the_days_suffice_and_one_less_would_not(
        items in 1_u64..3_000_000,
        today in 0_u64..75_000,
        per_day in 1_u64..100_000,
        weight in 1_u32..20,
        others in 0_u64..50,
    ) {
        let share = Share { weight, of: u64::from(weight) + others };
        let budget = Budget { left_today: limits(0, today), per_day: limits(0, per_day) };
        let work = Work { items, requests: 0 };
        let (first, each) = (share.part(today), share.part_of_a_day(per_day));
        match forecast(utc(NOON), work, budget, share, None) {
            Some(done) => {
                let days = u64::from(done.quota_days);
                prop_assert!(first + each * (days - 1) >= items);
                prop_assert!(days == 1 || first + each * (days - 2) < items);
            }
            None => prop_assert!(first + each * u64::from(MAX_DAYS - 1) < items),
        }
    }

    #[test]
    fn more_work_a_smaller_share_or_a_slower_line_is_never_done_sooner(
        at in 1_750_000_000_i64..1_900_000_000,
        items in 0_u64..500_000,
        requests in 0_u64..50_000,
        more in 0_u64..100_000,
        others in 0_u64..9,
        rate in 0.5_f64..200.0,
    ) {
        let now = DateTime::from_timestamp(at, 0).expect("a time");
        let budget = every_day(10_000, 75_000);
        let work = Work { items, requests };
        let share = Share { weight: 1, of: 1 + others };
        let base = forecast(now, work, budget, Share::WHOLE, Some(rate)).expect("a forecast");
        prop_assert!(base.done_by >= now);
        let bigger = Work { items: items + more, requests: requests + more };
        for later in [
            forecast(now, bigger, budget, Share::WHOLE, Some(rate)),
            forecast(now, work, budget, share, Some(rate)),
            forecast(now, work, budget, Share::WHOLE, Some(rate / 2.0)),
        ] {
            let later = later.expect("a forecast");
            prop_assert!(later.done_by >= base.done_by, "{later:?} before {base:?}");
            prop_assert!(later.quota_days >= base.quota_days);
        }
    }
}
