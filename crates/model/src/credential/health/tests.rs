//! The policy on single cases, and on all of them.

use proptest::prelude::*;

use super::*;

fn at(hours: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::hours(hours)
}

fn announced(dies_at: DateTime<Utc>) -> Signs {
    Signs {
        announced: Some(dies_at),
        used_at: Some(at(0)),
        ..Signs::default()
    }
}

#[test]
fn the_death_that_comes_first_counts() {
    let week = announced(at(7 * 24));
    let death = |signs: &Signs| signs.death().map(|it| (it.at, it.why));
    assert_eq!(death(&week), Some((at(7 * 24), DeathCause::Announced)));
    let year = announced(at(365 * 24));
    assert_eq!(death(&year), Some((at(180 * 24), DeathCause::Idle)));
    assert_eq!(Signs::default().death(), None, "nothing is known yet");
}

#[test]
fn health_is_named_by_what_matters_most() {
    let now = at(10);
    let of = |signs: Signs| signs.health(now);
    let living = announced(at(10 + 73));
    let dying = announced(at(10 + 72));
    let failing = |failures| Signs { failures, ..dying };
    let refused = |by| Signs {
        refused: Some(by),
        ..failing(9)
    };
    assert_eq!(of(Signs::default()), TokenHealth::Ok);
    assert_eq!(of(living), TokenHealth::Ok);
    assert_eq!(of(dying), TokenHealth::Expiring);
    assert_eq!(of(announced(now)), TokenHealth::Dead);
    assert_eq!(of(failing(4)), TokenHealth::Expiring);
    assert_eq!(of(failing(5)), TokenHealth::Exhausted);
    assert_eq!(of(refused(RefusedBy::Token)), TokenHealth::Dead);
    assert_eq!(of(refused(RefusedBy::Client)), TokenHealth::ClientRefused);
    assert_eq!(of(refused(RefusedBy::Keeper)), TokenHealth::Revoked);
}

#[test]
fn whoever_is_not_well_has_something_to_do() {
    for health in TokenHealth::ALL {
        let action = health.action(None);
        assert_eq!(action.is_none(), health == TokenHealth::Ok, "{health:?}");
    }
}

#[test]
fn each_deadline_is_told_once_and_after_an_absence_only_the_latest() {
    let signs = announced(at(100));
    let mut warned = None;
    let mut told = Vec::new();
    for hour in [0, 27, 28, 29, 75, 76, 97, 98, 99, 100, 101] {
        if let Some((_, next)) = signs.warning(warned.as_ref(), at(hour)) {
            told.push((hour, next.deadline.hours()));
            warned = Some(next);
        }
    }
    assert_eq!(told, [(28, 72), (76, 24), (98, 2)]);
    let late = signs.warning(None, at(99)).map(|it| it.1.deadline);
    assert_eq!(late, Some(Deadline::TwoHours));
    assert_eq!(signs.warning(None, at(100)), None, "a death is no warning");
}

#[test]
fn the_same_death_in_other_words_is_not_told_again() {
    let (_, warned) = announced(at(50)).warning(None, at(10)).expect("told");
    let a_minute_later = announced(at(50) + TimeDelta::minutes(1));
    assert_eq!(a_minute_later.warning(Some(&warned), at(11)), None);
    let next = a_minute_later.warning(Some(&warned), at(49));
    assert_eq!(next.map(|it| it.1.dies_at), Some(at(50)), "one date");
    let another = announced(at(60)).warning(Some(&warned), at(11));
    assert_eq!(another.map(|it| it.1.dies_at), Some(at(60)));
    assert_eq!(announced_death(Some(at(50)), at(51)), at(51));
    let said = at(50) + TimeDelta::seconds(2);
    assert_eq!(announced_death(Some(at(50)), said), at(50));
    assert_eq!(announced_death(None, said), said);
}

#[test]
fn a_refused_token_is_neither_warned_of_nor_kept_alive() {
    let signs = Signs {
        refused: Some(RefusedBy::Token),
        ..announced(at(30))
    };
    assert_eq!(signs.warning(None, at(10)), None);
    assert!(!is_keep_alive_due(&signs, 0.0, at(24 * 30)));
}

#[test]
fn an_exhausted_token_is_tried_whenever_it_was_used() {
    let exhausted = Signs {
        failures: EXHAUSTED_AFTER,
        ..announced(at(1_000))
    };
    let failing = Signs {
        failures: EXHAUSTED_AFTER - 1,
        ..exhausted
    };
    for (signs, is_due) in [(exhausted, true), (failing, false)] {
        assert_eq!(needs_use(&signs, at(1)), is_due);
        assert_eq!(is_keep_alive_due(&signs, 0.5, at(1)), is_due);
    }
}

#[test]
fn pauses_double_and_are_longer_for_the_exhausted() {
    let pauses: Vec<u64> = (0..40)
        .map(|failures| refresh_pause(failures, 0.5).as_secs())
        .collect();
    assert_eq!(pauses[..8], [5, 10, 20, 40, 300, 600, 900, 900]);
    assert_eq!(pauses[39], 900);
    assert_eq!(refresh_pause(0, 0.0).as_millis(), 3750);
    assert_eq!(refresh_pause(0, 1.0).as_millis(), 6250);
}

proptest! {
    /// However a person's token is looked at, no deadline is told twice, and none after a later one.
    #[test]
    fn looks_at_any_time_tell_each_deadline_at_most_once(
        mut looks in proptest::collection::vec(0_i64..10_000, 1..40),
        dies in 1_i64..9_000,
        wobble in -300_i64..300,
    ) {
        looks.sort_unstable();
        let mut warned: Option<Warned> = None;
        let mut told = Vec::new();
        for (turn, minutes) in looks.into_iter().enumerate() {
            let wobble = if turn % 2 == 0 { 0 } else { wobble };
            let now = at(0) + TimeDelta::minutes(minutes);
            let signs = announced(at(0) + TimeDelta::minutes(dies) + TimeDelta::seconds(wobble));
            if let Some((_, next)) = signs.warning(warned.as_ref(), now) {
                told.push(next.deadline.hours());
                warned = Some(next);
            }
        }
        prop_assert!(told.windows(2).all(|pair| pair[1] < pair[0]), "{told:?}");
    }

    /// A use moves the idle death ahead and leaves the announced one where it is.
    #[test]
    fn a_use_moves_only_the_idle_death(used in 0_i64..5_000, later in 1_i64..5_000, dies in 0_i64..20_000) {
        let before = Signs { announced: Some(at(dies)), used_at: Some(at(used)), ..Signs::default() };
        let after = Signs { used_at: Some(at(used + later)), ..before };
        let (before, after) = (before.death().expect("one"), after.death().expect("one"));
        prop_assert!(after.at >= before.at);
        if before.why == DeathCause::Announced {
            prop_assert_eq!(before, after);
        }
    }

    /// Whoever is kept alive when that is due never dies of idleness, and is not used more often than every sixth day.
    #[test]
    fn a_token_is_kept_alive_weekly(spread in 0.0_f64..1.0, used in 0_i64..1_000) {
        let signs = Signs { used_at: Some(at(used)), ..Signs::default() };
        let is_due = |hours: i64| is_keep_alive_due(&signs, spread, at(used + hours));
        prop_assert!(!is_due(6 * 24 - 1));
        prop_assert!(is_due(7 * 24));
        for hours in (0..8 * 24).filter(|hours| is_due(*hours)) {
            prop_assert!(needs_use(&signs, at(used + hours)), "the vault would not do it");
        }
    }

    #[test]
    fn pauses_are_bounded(failures in 0_u32..1_000_000, unit in 0.0_f64..1.0) {
        let (pause, next) = (refresh_pause(failures, unit), refresh_pause(failures + 1, unit));
        prop_assert!(next >= pause);
        prop_assert!(pause.as_secs() <= 1125);
    }
}
