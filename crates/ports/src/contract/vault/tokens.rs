//! Access tokens: kept, refreshed once at a time, and not asked for where that is known not to help.

use std::time::Duration;

use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};

use super::{Bench, FakeGoogle, REFRESH_TOKEN, SCOPES, google_secret};
use crate::{
    clock::Clock as _,
    google_auth::{RefreshAnswer, RefreshError},
    vault::{Grant, Refusal, RefusedBy, VaultError},
};

pub(super) async fn a_token_is_kept_until_a_minute_before_its_end(bench: Bench) {
    bench.put(google_secret()).await;
    let token = bench
        .vault
        .access_token(&bench.grant, None)
        .await
        .expect("a token");
    assert_eq!(token.expires_at, bench.clock.now() + TimeDelta::hours(1));
    assert_eq!(token.scopes, SCOPES);
    bench
        .clock
        .advance(TimeDelta::minutes(59) - TimeDelta::seconds(1));
    assert_eq!(
        bench.token().await.expect("the same token"),
        "access-token-1"
    );
    bench.clock.advance(TimeDelta::seconds(1));
    assert_eq!(bench.token().await.expect("a new token"), "access-token-2");
    assert_eq!(bench.google.calls(), 2);
}

pub(super) async fn a_rejected_token_is_replaced_once(bench: Bench) {
    bench.put(google_secret()).await;
    let first = bench
        .vault
        .access_token(&bench.grant, None)
        .await
        .expect("a token");
    for _ in 0..3 {
        let next = bench
            .vault
            .access_token(&bench.grant, Some(&first))
            .await
            .expect("a token");
        assert_eq!(next.secret.expose_secret(), "access-token-2");
    }
    assert_eq!(bench.google.calls(), 2);
}

pub(super) async fn a_token_rejected_again_and_again_is_not_refreshed_again_and_again(
    bench: Bench,
) {
    bench.put(google_secret()).await;
    let mut last = bench
        .vault
        .access_token(&bench.grant, None)
        .await
        .expect("a token");
    for _ in 0..20 {
        if let Ok(next) = bench.vault.access_token(&bench.grant, Some(&last)).await {
            last = next;
        }
    }
    assert_eq!(bench.google.calls(), 2, "at most one refresh a cooldown");
}

pub(super) async fn many_callers_cause_one_refresh(bench: Bench) {
    bench.put(google_secret()).await;
    let callers = (0..50).map(|_| bench.token());
    for token in futures::future::join_all(callers).await {
        assert_eq!(token.expect("a token"), "access-token-1");
    }
    assert_eq!(bench.google.calls(), 1);
}

pub(super) async fn a_refused_credential_is_not_tried_again_until_replaced(bench: Bench) {
    bench.put(google_secret()).await;
    bench.google.script(Err(RefreshError::InvalidGrant(
        "Token has been expired or revoked.".into(),
    )));
    for _ in 0..5 {
        let refused = bench.token().await;
        assert!(
            matches!(&refused, Err(VaultError::Refused(why)) if why.by == RefusedBy::Token),
            "{refused:?}"
        );
        bench.clock.advance(TimeDelta::hours(1));
    }
    assert_eq!(bench.google.calls(), 1);
    let Grant {
        tenant, storage, ..
    } = bench.grant;
    let info = bench
        .vault
        .describe(tenant, storage)
        .await
        .expect("describe")
        .expect("it is there");
    let refusal = info.refused.expect("a refusal");
    assert_eq!(refusal.by, RefusedBy::Token);
    assert!(refusal.reason.contains("expired or revoked"), "{refusal:?}");
    bench.put(google_secret()).await;
    bench.token().await.expect("a new credential is tried");
    let info = bench
        .vault
        .describe(tenant, storage)
        .await
        .expect("describe")
        .expect("it is there");
    assert_eq!(info.refused, None);
}

pub(super) async fn a_client_that_google_refuses_is_told_from_a_token(bench: Bench) {
    bench.put(google_secret()).await;
    bench
        .google
        .script(Err(RefreshError::InvalidClient("Unauthorized".into())));
    let expected = Refusal {
        by: RefusedBy::Client,
        reason: "Unauthorized".into(),
    };
    for _ in 0..2 {
        let refused = bench.token().await;
        assert!(
            matches!(&refused, Err(VaultError::Refused(why)) if *why == expected),
            "{refused:?}"
        );
    }
    let Grant {
        tenant, storage, ..
    } = bench.grant;
    let info = bench.vault.describe(tenant, storage).await;
    let info = info.expect("describe").expect("it is there");
    assert_eq!(info.refused, Some(expected));
}

pub(super) async fn passing_trouble_is_tried_once_a_cooldown(bench: Bench) {
    bench.put(google_secret()).await;
    bench
        .google
        .script(Err(RefreshError::Unavailable("503".into())));
    for _ in 0..20 {
        assert!(matches!(
            bench.token().await,
            Err(VaultError::Unavailable(_))
        ));
    }
    assert_eq!(bench.google.calls(), 1);
    bench.clock.advance(TimeDelta::minutes(10));
    bench.token().await.expect("the trouble has passed");
}

pub(super) async fn a_replaced_refresh_token_is_kept(bench: Bench) {
    bench.put(google_secret()).await;
    let week = Duration::from_secs(604_799);
    bench.google.script(Ok(RefreshAnswer {
        refresh_token: Some(SecretString::from("1//second-refresh-token")),
        refresh_token_expires_in: Some(week),
        ..FakeGoogle::good("short-lived")
    }));
    let Grant {
        tenant, storage, ..
    } = bench.grant;
    let before = bench
        .vault
        .describe(tenant, storage)
        .await
        .expect("describe")
        .expect("there");
    bench.token().await.expect("a token");
    assert_eq!(
        bench.google.last_refresh_token().as_deref(),
        Some(REFRESH_TOKEN)
    );
    let after = bench
        .vault
        .describe(tenant, storage)
        .await
        .expect("describe")
        .expect("there");
    assert_eq!(
        after.refresh_token_expires_at,
        Some(bench.clock.now() + week)
    );
    assert_eq!(after.scopes, SCOPES);
    assert!(after.version > before.version);
    bench.clock.advance(TimeDelta::hours(2));
    bench.token().await.expect("a token");
    assert_eq!(
        bench.google.last_refresh_token().as_deref(),
        Some("1//second-refresh-token")
    );
}
