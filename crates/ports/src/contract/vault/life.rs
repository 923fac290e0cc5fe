//! A refresh token's life: used so that it lives on, known to die, left alone after trouble.

use std::time::Duration;

use chrono::TimeDelta;
use futures::future::join_all;
use secrecy::SecretString;
use tintype_model::credential::health::{
    DeathCause, EXHAUSTED_AFTER, IDLE, Signs, TokenHealth, refresh_pause,
};

use super::{Bench, FakeGoogle, google_secret, s3_secret};
use crate::{
    clock::Clock as _,
    google_auth::{RefreshAnswer, RefreshError},
    vault::{Grant, SecretInfo, VaultError},
};

const WEEK: Duration = Duration::from_secs(604_799);

impl Bench {
    async fn keep_alive(&self) -> Result<SecretInfo, VaultError> {
        let grant = Grant {
            purpose: "keep_alive".to_owned(),
            ..self.grant.clone()
        };
        self.vault.keep_alive(&grant).await
    }

    async fn info(&self) -> SecretInfo {
        let Grant {
            tenant, storage, ..
        } = self.grant;
        let info = self.vault.describe(tenant, storage).await;
        info.expect("describe").expect("it is there")
    }

    async fn signs(&self) -> Signs {
        self.info().await.signs().expect("a refresh token")
    }
}

fn announcing(left: Duration) -> Result<RefreshAnswer, RefreshError> {
    Ok(RefreshAnswer {
        refresh_token_expires_in: Some(left),
        ..FakeGoogle::good("announcing")
    })
}

pub(super) async fn a_token_that_was_used_lately_is_left_alone(bench: Bench) {
    bench.put(google_secret()).await;
    assert_eq!(bench.info().await.used_at, None);
    bench.token().await.expect("a token");
    let used_at = Some(bench.clock.now());
    bench
        .clock
        .advance(TimeDelta::days(6) - TimeDelta::seconds(1));
    let left_alone = bench.keep_alive().await.expect("it lives");
    assert_eq!((left_alone.used_at, bench.google.calls()), (used_at, 1));
    bench.clock.advance(TimeDelta::seconds(1));
    let used = bench.keep_alive().await.expect("it lives");
    assert_eq!(used.used_at, Some(bench.clock.now()));
    assert_eq!(bench.google.calls(), 2);
    assert_eq!(bench.info().await, used);
    let actions = bench.actions().await;
    assert_eq!(actions, ["put", "refresh", "issue", "keep_alive"]);
    let kept = bench.token().await.expect("what came of it");
    assert_eq!((kept.as_str(), bench.google.calls()), ("access-token-2", 2));
}

pub(super) async fn one_that_was_never_used_tells_its_death(bench: Bench) {
    bench.put(google_secret()).await;
    assert_eq!(bench.signs().await.death(), None);
    bench.google.script(announcing(WEEK));
    bench.keep_alive().await.expect("it lives");
    let death = bench.signs().await.death().expect("it is known");
    assert_eq!(death.at, bench.clock.now() + WEEK);
    assert_eq!(death.why, DeathCause::Announced);
}

pub(super) async fn a_use_moves_the_idle_death_and_no_announced_one(bench: Bench) {
    bench.put(google_secret()).await;
    bench.google.script(announcing(WEEK));
    bench.keep_alive().await.expect("it lives");
    let announced = bench.info().await.refresh_token_expires_at;
    bench.clock.advance(TimeDelta::days(6));
    bench.keep_alive().await.expect("it lives");
    let info = bench.info().await;
    assert_eq!(info.refresh_token_expires_at, announced);
    assert_eq!(info.used_at, Some(bench.clock.now()));
    bench.clock.advance(TimeDelta::hours(2));
    bench.google.script(announcing(WEEK));
    bench.token().await.expect("a token");
    let anew = Some(bench.clock.now() + WEEK);
    assert_eq!(bench.info().await.refresh_token_expires_at, anew);
}

pub(super) async fn the_same_death_in_other_words_is_the_same(bench: Bench) {
    bench.put(google_secret()).await;
    bench.google.script(announcing(WEEK));
    bench.token().await.expect("a token");
    let announced = bench.info().await.refresh_token_expires_at;
    bench.clock.advance(TimeDelta::hours(2));
    let left = announced.expect("a death") - bench.clock.now() - TimeDelta::seconds(3);
    let left = left.to_std().expect("some time");
    bench.google.script(announcing(left));
    bench.token().await.expect("a token");
    assert_eq!(bench.google.calls(), 2);
    assert_eq!(bench.info().await.refresh_token_expires_at, announced);
}

pub(super) async fn many_who_keep_it_alive_cause_one_refresh(bench: Bench) {
    bench.put(google_secret()).await;
    let callers = (0..30).map(|_| bench.keep_alive());
    for kept in join_all(callers).await {
        assert_eq!(kept.expect("it lives").used_at, Some(bench.clock.now()));
    }
    assert_eq!(bench.google.calls(), 1);
    assert_eq!(bench.actions().await, ["put", "keep_alive"]);
}

pub(super) async fn a_token_replaced_by_its_own_use_is_kept(bench: Bench) {
    bench.put(google_secret()).await;
    bench.google.script(Ok(RefreshAnswer {
        refresh_token: Some(SecretString::from("1//after-a-week")),
        ..FakeGoogle::good("short-lived")
    }));
    bench.keep_alive().await.expect("it lives");
    bench.clock.advance(IDLE - TimeDelta::hours(1));
    bench.keep_alive().await.expect("it lives");
    let used = bench.google.last_refresh_token();
    assert_eq!(used.as_deref(), Some("1//after-a-week"));
}

pub(super) async fn what_is_refused_or_has_no_life_is_told(bench: Bench) {
    let nothing = bench.keep_alive().await;
    assert!(matches!(nothing, Err(VaultError::NotFound)), "{nothing:?}");
    bench.put(s3_secret()).await;
    let keys = bench.keep_alive().await;
    assert!(matches!(keys, Err(VaultError::WrongKind)), "{keys:?}");
    assert_eq!(bench.info().await.signs(), None);
    bench.put(google_secret()).await;
    let revoked = RefreshError::InvalidGrant("Token has been expired or revoked.".into());
    bench.google.script(Err(revoked));
    for _ in 0..2 {
        let refused = bench.keep_alive().await;
        assert!(
            matches!(refused, Err(VaultError::Refused(_))),
            "{refused:?}"
        );
        bench.clock.advance(TimeDelta::days(7));
    }
    assert_eq!(bench.google.calls(), 1, "at once, and once");
    let health = bench.signs().await.health(bench.clock.now());
    assert_eq!(health, TokenHealth::Dead);
}

pub(super) async fn five_failures_in_a_row_exhaust_it_until_one_refresh_goes_well(bench: Bench) {
    bench.put(google_secret()).await;
    let mut pauses = Vec::new();
    for failures in 1..=EXHAUSTED_AFTER + 2 {
        let trouble = format!("odd answer {failures}");
        bench.google.script(Err(RefreshError::Unavailable(trouble)));
        let token = bench.token().await;
        assert!(
            matches!(token, Err(VaultError::Unavailable(_))),
            "{token:?}"
        );
        // Nobody gets past the pause, whatever for.
        for _ in 0..3 {
            bench.keep_alive().await.expect_err("it is left alone");
            bench.token().await.expect_err("it is left alone");
        }
        let now = bench.clock.now();
        let info = bench.info().await;
        assert_eq!(info.failures, failures);
        let is_exhausted = bench.signs().await.health(now) == TokenHealth::Exhausted;
        assert_eq!(is_exhausted, failures >= EXHAUSTED_AFTER);
        let pause = info.retry_at.expect("a pause") - now;
        pauses.push(pause);
        bench.clock.advance(pause);
    }
    let calls = usize::try_from(EXHAUSTED_AFTER + 2).expect("few");
    assert_eq!(bench.google.calls(), calls);
    // By chance, but within what the number of failures allows; what is stored is cut to milliseconds.
    for (failures, pause) in (0..).zip(&pauses) {
        let [shortest, longest] = [0.0, 1.0].map(|unit| refresh_pause(failures, unit));
        let pause = pause.to_std().expect("a pause") + Duration::from_millis(1);
        let allowed = shortest..=longest + Duration::from_millis(1);
        assert!(allowed.contains(&pause), "{failures}: {pauses:?}");
    }
    // Whatever it is used for.
    bench.keep_alive().await.expect("the trouble has passed");
    let info = bench.info().await;
    assert_eq!((info.failures, info.retry_at), (0, None));
    let health = bench.signs().await.health(bench.clock.now());
    assert_eq!(health, TokenHealth::Ok);
}
