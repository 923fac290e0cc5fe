//! Several vaults over one database.

use std::collections::BTreeSet;

use futures::future::join_all;
use secrecy::{ExposeSecret as _, SecretString};
use tintype_emulator::CallKind;
use tintype_model::{StorageId, TenantId};
use tintype_ports::{
    Vault as _, VaultKeeper as _,
    vault::{Grant, Secret},
};

use super::{install::Install, services::until_ready};

const CALLERS: usize = 500;
/// As many processes' worth of connections.
const CLIENTS: usize = 10;

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_token_requests_over_three_vaults_cause_one_refresh_at_google() {
    let mut install = Install::new().await;
    let first = install.serve("vault");
    let (second, second_port) = install.serve_vault_beside();
    let (third, third_port) = install.serve_vault_beside();
    let ports = [install.vault_port(), second_port, third_port];
    for vault in [&first, &second, &third] {
        until_ready(vault).await;
    }
    let account = install.google.account(0, 1);
    let id = [7; 10];
    let tenant = TenantId::new(chrono::DateTime::UNIX_EPOCH, id);
    let storage = StorageId::new(chrono::DateTime::UNIX_EPOCH, id);
    let secret = Secret::Google {
        client_id: account.client_id.into(),
        client_secret: SecretString::from(account.client_secret),
        refresh_token: SecretString::from(account.refresh_token),
    };
    let gateway = install.vault_client("gateway", &ports);
    gateway.put(tenant, storage, secret).await.expect("kept");

    let before = install.google.control.calls(CallKind::Token);
    // Each client talks to one vault first, so that all of them are asked.
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let mut ports = ports;
            ports.rotate_left(number % 3);
            install.vault_client("worker", &ports)
        })
        .collect();
    let grant = Grant {
        tenant,
        storage,
        run: None,
        purpose: "download".into(),
    };
    let calls = (0..CALLERS).map(|number| clients[number % CLIENTS].access_token(&grant, None));
    let tokens: BTreeSet<String> = join_all(calls)
        .await
        .into_iter()
        .map(|token| token.expect("a token").secret.expose_secret().to_owned())
        .collect();
    assert_eq!(tokens.len(), 1, "all of them got the same token");
    let refreshes = install.google.control.calls(CallKind::Token) - before;
    assert_eq!(refreshes, 1);
    // Each use was logged before its answer was given, whichever vault gave it.
    let logged = gateway.verify_audit_log(tenant).await;
    let logged = usize::try_from(logged.expect("an intact log"));
    assert!(logged.expect("a count") > CALLERS);
}
