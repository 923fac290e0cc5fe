//! The refresh grant.

use std::{sync::Arc, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use tintype_emulator::{
    CallKind, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, Effect, Emulator, EmulatorConfig, Fault,
    RunningEmulator,
};
use tintype_google::{GoogleEndpoints, GoogleOAuth};
use tintype_ports::google_auth::{GoogleAuth, RefreshAnswer, RefreshError};
use tintype_runtime::{HttpSettings, SystemEntropy};
use url::Url;

use crate::world::quick;

async fn emulator() -> RunningEmulator {
    Emulator::start(EmulatorConfig::default()).await.unwrap()
}

fn oauth(emulator: &RunningEmulator) -> GoogleOAuth {
    let base = Url::parse(&emulator.base_url()).unwrap();
    let settings = quick(GoogleEndpoints::at(&base));
    let client = HttpSettings::default().client().unwrap();
    GoogleOAuth::new(client, settings, Arc::new(SystemEntropy))
}

async fn refresh_with(
    emulator: &RunningEmulator,
    secret: &str,
    refresh_token: &str,
) -> Result<RefreshAnswer, RefreshError> {
    let oauth = oauth(emulator);
    let (secret, token) = (
        SecretString::from(secret),
        SecretString::from(refresh_token),
    );
    oauth.refresh(DEFAULT_CLIENT_ID, &secret, &token).await
}

async fn refresh(emulator: &RunningEmulator) -> Result<RefreshAnswer, RefreshError> {
    refresh_with(
        emulator,
        DEFAULT_CLIENT_SECRET,
        &emulator.grant().refresh_token,
    )
    .await
}

#[tokio::test]
async fn a_refresh_token_buys_an_access_token_and_its_scopes() {
    let emulator = emulator().await;
    let answer = refresh(&emulator).await.unwrap();
    assert!(!answer.access_token.expose_secret().is_empty());
    assert_eq!(answer.expires_in, Duration::from_secs(3599));
    assert_eq!(answer.scopes.join(" "), emulator.grant().scope);
    assert!(answer.refresh_token.is_none() && answer.refresh_token_expires_in.is_none());
    emulator.shutdown().await;
}

#[tokio::test]
async fn a_new_refresh_token_and_its_end_are_handed_on() {
    let emulator = emulator().await;
    emulator.control().set(|it| {
        it.rotate_refresh_token = true;
        it.testing_mode = true;
    });
    let answer = refresh(&emulator).await.unwrap();
    let new = answer.refresh_token.unwrap();
    assert_ne!(new.expose_secret(), emulator.grant().refresh_token);
    let days = answer.refresh_token_expires_in.unwrap().as_secs() / (24 * 60 * 60);
    assert!((6..=7).contains(&days), "{days}");
    emulator.shutdown().await;
}

#[tokio::test]
async fn a_grant_is_ended_once_and_its_end_can_be_asked_for_again() {
    let emulator = emulator().await;
    let control = emulator.control();
    let oauth = oauth(&emulator);
    let token = SecretString::from(emulator.grant().refresh_token.as_str());
    let trouble = Effect::Status {
        code: 503,
        message: None,
        retry_after: None,
    };
    control.fault(Fault::on(CallKind::Revoke, trouble).times(2));
    oauth.revoke(&token).await.unwrap();
    assert_eq!(control.calls(CallKind::Revoke), 3);
    let dead = refresh(&emulator).await.unwrap_err();
    assert!(matches!(dead, RefreshError::InvalidGrant(_)), "{dead}");
    oauth.revoke(&token).await.unwrap();
    emulator.shutdown().await;
}

#[tokio::test]
async fn an_account_has_a_name_that_stays_and_a_dead_token_has_none() {
    let emulator = emulator().await;
    let control = emulator.control();
    let oauth = oauth(&emulator);
    let account = async |email: &str| {
        control.add_account(email);
        let grant = control.grant(email, DEFAULT_CLIENT_ID, None).unwrap();
        let token = SecretString::from(grant.access_token);
        oauth.account(&token).await.unwrap()
    };
    let (alice, bob) = (
        account("a@example.com").await,
        account("b@example.com").await,
    );
    assert!(alice.is_some() && bob.is_some());
    assert_ne!(alice, bob);
    assert_eq!(account("a@example.com").await, alice);
    let dead = SecretString::from("ya29.nobody");
    assert_eq!(oauth.account(&dead).await.unwrap(), None);
    emulator.shutdown().await;
}

#[tokio::test]
async fn a_code_is_asked_for_once_even_when_the_answer_is_lost() {
    let emulator = emulator().await;
    let control = emulator.control();
    control.fault(Fault::on(CallKind::Token, Effect::DropAfter));
    let (secret, code) = (SecretString::from("s"), SecretString::from("4/code"));
    let lost = oauth(&emulator)
        .exchange(
            DEFAULT_CLIENT_ID,
            &secret,
            "http://127.0.0.1/x",
            &code,
            &code,
        )
        .await
        .unwrap_err();
    assert!(matches!(lost, RefreshError::Unavailable(_)), "{lost}");
    assert_eq!(control.calls(CallKind::Token), 1);
    emulator.shutdown().await;
}

#[tokio::test]
async fn a_revoked_token_and_a_wrong_client_are_told_apart_and_asked_once() {
    let emulator = emulator().await;
    let token = emulator.grant().refresh_token.clone();
    let wrong = refresh_with(&emulator, "GOCSPX-a-wrong-secret", &token)
        .await
        .unwrap_err();
    assert!(matches!(wrong, RefreshError::InvalidClient(_)), "{wrong}");
    emulator.control().revoke(&token);
    let dead = refresh(&emulator).await.unwrap_err();
    assert!(matches!(dead, RefreshError::InvalidGrant(_)), "{dead}");
    assert_eq!(emulator.control().calls(CallKind::Token), 2);
    for shown in [format!("{wrong} {wrong:?}"), format!("{dead} {dead:?}")] {
        assert!(
            !shown.contains(&token) && !shown.contains("a-wrong-secret"),
            "{shown}"
        );
    }
    emulator.shutdown().await;
}

#[tokio::test]
async fn passing_trouble_is_repeated_and_then_given_up() {
    let emulator = emulator().await;
    let down = Effect::Status {
        code: 503,
        message: None,
        retry_after: None,
    };
    emulator
        .control()
        .fault(Fault::on(CallKind::Token, down.clone()).times(2));
    assert!(refresh(&emulator).await.is_ok());
    assert_eq!(emulator.control().calls(CallKind::Token), 3);
    for effect in [down, Effect::DropBefore, Effect::MalformedJson] {
        emulator.control().clear_faults(None);
        emulator.control().reset_ledger();
        emulator
            .control()
            .fault(Fault::on(CallKind::Token, effect.clone()));
        let error = refresh(&emulator).await.unwrap_err();
        assert!(
            matches!(error, RefreshError::Unavailable(_)),
            "{effect:?}: {error}"
        );
        assert_eq!(emulator.control().calls(CallKind::Token), 4, "{effect:?}");
    }
    emulator.shutdown().await;
}
