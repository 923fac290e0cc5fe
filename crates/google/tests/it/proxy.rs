//! The real names of Google through a CONNECT proxy with an authority of its own.

use std::sync::Arc;

use secrecy::SecretString;
use tintype_emulator::{
    CallKind, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, Emulator, EmulatorConfig, RunningEmulator,
};
use tintype_google::{GoogleEndpoints, GoogleOAuth};
use tintype_ports::{google_auth::GoogleAuth, photos::PhotoError};
use tintype_runtime::{CaCert, HttpSettings, SystemEntropy};
use url::Url;

use crate::world::{Gate, LIBRARY, drain, open, quick};

async fn intercepted() -> (RunningEmulator, HttpSettings) {
    let emulator = Emulator::start(EmulatorConfig::default().intercepting())
        .await
        .unwrap();
    let http = HttpSettings {
        proxy: Some(Url::parse(&emulator.proxy_url().unwrap()).unwrap()),
        ca_certs: vec![CaCert::Pem(emulator.ca_pem().to_owned())],
        ..HttpSettings::default()
    };
    (emulator, http)
}

#[tokio::test]
async fn google_is_reached_by_its_own_names() {
    let (emulator, http) = intercepted().await;
    let settings = quick(GoogleEndpoints::default());
    let source = open(settings.clone(), &http, Arc::new(Gate::of(&emulator)));
    let page = source.list(&LIBRARY, None).await.unwrap();
    let item = page.entries.first().unwrap();
    let mut download = source
        .download(item.base_url.as_ref().unwrap(), item.metadata.kind)
        .await
        .unwrap();
    assert!(!drain(download.as_mut()).await.unwrap().is_empty());
    let oauth = GoogleOAuth::new(http.client().unwrap(), settings, Arc::new(SystemEntropy));
    let (secret, token) = (
        SecretString::from(DEFAULT_CLIENT_SECRET),
        emulator.grant().refresh_token.clone(),
    );
    oauth
        .refresh(DEFAULT_CLIENT_ID, &secret, &token.into())
        .await
        .unwrap();
    let control = emulator.control();
    let calls = [CallKind::Search, CallKind::Download, CallKind::Token].map(|it| control.calls(it));
    assert_eq!(calls, [1, 1, 1]);
    emulator.shutdown().await;
}

#[tokio::test]
async fn an_authority_that_is_not_trusted_is_refused() {
    let (emulator, http) = intercepted().await;
    let untrusting = HttpSettings {
        ca_certs: Vec::new(),
        ..http
    };
    let source = open(
        quick(GoogleEndpoints::default()),
        &untrusting,
        Arc::new(Gate::of(&emulator)),
    );
    let error = source.list(&LIBRARY, None).await.unwrap_err();
    assert!(
        matches!(&error, PhotoError::Unavailable(text) if text.contains("certificate")),
        "{error}"
    );
    assert_eq!(emulator.control().calls(CallKind::Search), 0);
    emulator.shutdown().await;
}
