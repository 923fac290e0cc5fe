//! Tokens are used so that they live on, and their deaths are told ahead, each once, whatever fails meanwhile.

use std::{collections::BTreeSet, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use tintype_app::Step;
use tintype_emulator::{CallKind, Effect, Fault, Generated, Library};
use tintype_model::credential::health::{DeathCause, Signs, TokenHealth};
use tintype_ports::events::Event;

use crate::world::World;

const LOOK: Duration = Duration::from_millis(50);

/// A process that looks after accounts all the time.
async fn attentive() -> World {
    let library = Library::Generated(Generated::photos(3, 8_000));
    let change = |settings: &mut tintype_app::Settings| settings.accounts_every = LOOK;
    World::with_settings(library, change).await
}

/// An account of an app in Testing, and when its token dies.
async fn in_testing() -> (World, DateTime<Utc>) {
    let world = attentive().await;
    world
        .emulator()
        .set(|switches| switches.testing_mode = true);
    world.reauthorise().await;
    let signs = world
        .until_signs("an announced death", |it| it.announced.is_some())
        .await;
    let death = signs.death().expect("a death");
    assert_eq!(death.why, DeathCause::Announced);
    let left = death.at - world.now();
    assert!(left > TimeDelta::days(7) - TimeDelta::minutes(2), "{left}");
    (world, death.at)
}

/// Hours of the warnings in the stream.
fn hours(events: &[Event]) -> Vec<u32> {
    let hours = events.iter().map(|event| match event {
        Event::AccountExpiring { hours_before, .. } => *hours_before,
        other => panic!("no warning: {other:?}"),
    });
    hours.collect()
}

fn before(death: DateTime<Utc>, hours: i64) -> DateTime<Utc> {
    death - TimeDelta::hours(hours)
}

#[tokio::test]
async fn an_app_in_testing_is_warned_of_three_times_before_its_tokens_death() {
    let (world, death) = in_testing().await;
    world.set_time(before(death, 73));
    world.rounds(3).await;
    assert_eq!(world.warnings().await, []);
    for (left, told) in [(71, 1), (25, 1), (23, 2), (3, 2), (1, 3)] {
        world.set_time(before(death, left));
        world.rounds(3).await;
        let warnings = world.warnings().await;
        assert_eq!(hours(&warnings), [72, 24, 2][..told], "{left} h before");
    }
    let expected = |hours_before| Event::AccountExpiring {
        storage: world.storage(),
        dies_at: death,
        why: DeathCause::Announced,
        hours_before,
    };
    assert_eq!(world.warnings().await, [72, 24, 2].map(expected));
    assert_eq!(
        world.signs().await.health(world.now()),
        TokenHealth::Expiring
    );
    world.set_time(death + TimeDelta::minutes(1));
    world.rounds(3).await;
    assert_eq!(hours(&world.warnings().await), [72, 24, 2]);
    assert_eq!(world.signs().await.health(world.now()), TokenHealth::Dead);

    // A new sign-in has a death of its own, and its own warnings.
    world.reauthorise().await;
    let signs = world
        .until_signs("a new death", |it| it.announced.is_some())
        .await;
    assert_eq!(signs.health(world.now()), TokenHealth::Ok);
    let next = signs.death().expect("a death").at;
    world.set_time(before(next, 71));
    world.rounds(3).await;
    assert_eq!(hours(&world.warnings().await), [72, 24, 2, 72]);
}

#[tokio::test]
async fn after_an_absence_only_the_nearest_warning_is_told() {
    let (world, death) = in_testing().await;
    world.set_time(before(death, 1));
    world.rounds(3).await;
    assert_eq!(hours(&world.warnings().await), [2]);
}

#[tokio::test]
async fn a_warning_waits_for_a_bus_that_takes_it() {
    let (world, death) = in_testing().await;
    world.break_bus(true);
    world.set_time(before(death, 71));
    world.rounds(4).await;
    assert_eq!(world.warnings().await, []);
    assert_eq!(world.warned().await, None, "nothing is taken for told");
    world.break_bus(false);
    world.rounds(4).await;
    assert_eq!(hours(&world.warnings().await), [72]);
    let warned = world.warned().await.map(|it| it.deadline.hours());
    assert_eq!(warned, Some(72));
}

#[tokio::test]
async fn a_death_between_telling_and_recording_tells_the_same_again_and_loses_nothing() {
    let (world, death) = in_testing().await;
    world.break_once_at(Step::WarningTold);
    world.set_time(before(death, 23));
    world.rounds(8).await;
    assert_eq!(world.deaths(), 1);
    let warnings = world.warnings().await;
    assert_eq!(hours(&warnings), [24, 24]);
    assert_eq!(warnings[0], warnings[1], "readers know it again");
    world.set_time(before(death, 1));
    world.rounds(4).await;
    assert_eq!(hours(&world.warnings().await), [24, 24, 2]);
}

#[tokio::test]
async fn another_process_tells_what_the_one_before_could_not_record_and_nothing_else() {
    let (world, death) = in_testing().await;
    world.break_at(Some(Step::WarningTold));
    world.set_time(before(death, 71));
    while world.deaths() < 2 {
        tokio::time::sleep(LOOK).await;
    }
    let told = world.warnings().await;
    assert!(hours(&told).iter().all(|it| *it == 72) && told.len() > 1);
    assert_eq!(world.warned().await, None);
    let looks = world.looks();
    let world = world.restart().await;
    world.break_at(None);
    let world = world.restart().await;
    world.until_looks(looks + 1).await;
    let again = world.warnings().await;
    assert_eq!(again, told[..1]);
    // The next one knows of it, and goes on with what comes then.
    let looks = world.looks();
    let world = world.restart().await;
    world.until_looks(looks + 1).await;
    assert_eq!(world.warnings().await, []);
    world.set_time(before(death, 1));
    let looks = world.looks();
    let world = world.restart().await;
    world.until_looks(looks + 1).await;
    assert_eq!(hours(&world.warnings().await), [2]);
}

#[tokio::test]
async fn a_token_that_nothing_else_uses_outlives_half_a_year() {
    let world = attentive().await;
    world
        .until_signs("a first use", |it| it.used_at.is_some())
        .await;
    let begun = world.now();
    let mut used = BTreeSet::new();
    for week in 1..=28 {
        let before = world.calls(CallKind::Token);
        let now = begun + (TimeDelta::days(7) + TimeDelta::minutes(1)) * week;
        world.set_time(now);
        let is_used = |it: &Signs| it.used_at > Some(now - TimeDelta::seconds(1));
        let signs = world.until_signs("another use", is_used).await;
        used.insert(signs.used_at);
        world.rounds(2).await;
        assert_eq!(world.calls(CallKind::Token), before + 1, "week {week}");
    }
    assert_eq!(used.len(), 28);
    assert_eq!(world.signs().await.health(world.now()), TokenHealth::Ok);
    assert_eq!(world.warnings().await, []);
}

#[tokio::test]
async fn a_token_is_exhausted_by_odd_answers_and_well_again_after_a_good_one() {
    let world = attentive().await;
    let signs = world
        .until_signs("a first use", |it| it.used_at.is_some())
        .await;
    let odd = Effect::Status {
        code: 503,
        message: None,
        retry_after: None,
    };
    let fault = Fault::on(CallKind::Token, odd);
    world.emulator().fault(fault);
    let week_later = signs.used_at.expect("a use") + TimeDelta::days(8);
    world.set_time(week_later);
    for minutes in 1..=5 {
        let failed = |it: &Signs| it.failures >= minutes;
        world.until_signs("one more failure", failed).await;
        let wait = TimeDelta::minutes(20 * i64::from(minutes));
        world.set_time(week_later + wait);
    }
    let exhausted = world.signs().await;
    assert_eq!(exhausted.health(world.now()), TokenHealth::Exhausted);
    world.emulator().clear_faults(None);
    world.set_time(week_later + TimeDelta::hours(4));
    let well = world
        .until_signs("a good answer", |it| it.failures == 0)
        .await;
    assert_eq!(well.health(world.now()), TokenHealth::Ok);
}

#[tokio::test]
async fn a_token_that_google_refuses_is_dead_at_once_and_left_alone() {
    let (world, death) = in_testing().await;
    world.revoke();
    let asked = world.calls(CallKind::Token);
    world.set_time(death + TimeDelta::minutes(1));
    let refused = |it: &Signs| it.refused.is_some();
    world.until_signs("a refusal", refused).await;
    world.rounds(4).await;
    assert_eq!(world.calls(CallKind::Token), asked + 1);
    assert_eq!(world.signs().await.health(world.now()), TokenHealth::Dead);
}
