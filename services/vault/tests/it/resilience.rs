//! A vault that hangs, is away, comes back, or has brothers.

use std::{sync::atomic::Ordering, time::Duration};

use tintype_ports::{
    Vault as _, VaultError,
    contract::vault::{google_secret, grant, storage, tenant},
};
use tokio::net::TcpListener;

use crate::{
    keeper::SwitchedKeeper,
    world::{World, until},
};

#[tokio::test]
async fn a_call_to_a_vault_that_hangs_ends_at_its_deadline() {
    let world = World::new();
    let keeper = world.keeper().await;
    let server = world.serve(keeper.clone()).await;
    let mut settings = world.client_settings("worker", &server.address.to_string());
    settings.deadline = Duration::from_secs(1);
    let client = world.client_with("worker", &settings);
    keeper.holds.store(true, Ordering::SeqCst);
    let late = client
        .access_token(&grant(tenant(1), storage(1)), None)
        .await;
    assert!(matches!(late, Err(VaultError::Unavailable(_))), "{late:?}");
    keeper.holds.store(false, Ordering::SeqCst);
    let after = client
        .access_token(&grant(tenant(1), storage(1)), None)
        .await;
    assert!(matches!(after, Err(VaultError::NotFound)), "{after:?}");
    server.stop().await;
}

#[tokio::test]
async fn a_server_that_accepts_and_says_nothing_is_given_up() {
    let world = World::new();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let mut settings = world.client_settings("worker", &address);
    settings.connect_timeout = Duration::from_millis(200);
    settings.attempts = 2;
    let client = world.client_with("worker", &settings);
    let late = client.describe(tenant(1), storage(1)).await;
    assert!(
        matches!(&late, Err(VaultError::Unavailable(why)) if why.contains("no connection")),
        "{late:?}"
    );
}

#[tokio::test]
async fn a_service_starts_while_the_vault_is_down_and_goes_on_when_it_is_back() {
    let world = World::new();
    let keeper = world.keeper().await;
    let server = world.serve(keeper.clone()).await;
    let address = server.address;
    server.stop().await;

    let mut settings = world.client_settings("gateway", &address.to_string());
    settings.attempts = 3;
    settings.first_pause = Duration::from_millis(10);
    let gateway = world.client_with("gateway", &settings);
    let away = gateway.put(tenant(1), storage(1), google_secret()).await;
    assert!(matches!(away, Err(VaultError::Unavailable(_))), "{away:?}");

    let mut again = world.settings();
    again.listen = address;
    let server = world.serve_with(again.clone(), keeper.clone()).await;
    gateway
        .put(tenant(1), storage(1), google_secret())
        .await
        .unwrap();
    server.stop().await;
    let server = world.serve_with(again, keeper.clone()).await;
    // Not even a call that may not be repeated fails: the broken connection is seen before it is sent.
    until("the gateway is served again", async || {
        gateway
            .put(tenant(1), storage(1), google_secret())
            .await
            .is_ok()
    })
    .await;
    gateway.describe(tenant(1), storage(1)).await.unwrap();
    server.stop().await;
}

#[tokio::test]
async fn a_call_that_may_be_repeated_waits_for_a_vault_that_restarts() {
    let world = World::new();
    let keeper = world.keeper().await;
    let server = world.serve(keeper.clone()).await;
    let address = server.address;
    let mut settings = world.client_settings("gateway", &address.to_string());
    settings.attempts = 200;
    settings.first_pause = Duration::from_millis(20);
    let gateway = world.client_with("gateway", &settings);
    gateway.describe(tenant(1), storage(1)).await.unwrap();
    server.stop().await;
    let waiting = tokio::spawn(async move { gateway.describe(tenant(1), storage(1)).await });
    let mut again = world.settings();
    again.listen = address;
    let server = world.serve_with(again, keeper).await;
    assert_eq!(waiting.await.unwrap().unwrap(), None);
    server.stop().await;
}

#[tokio::test]
async fn replicas_share_the_calls_and_one_that_is_gone_is_not_missed() {
    let world = World::new();
    let first = world.keeper().await;
    let path = world.path().join("second.db");
    let second = SwitchedKeeper::open(&path, world.google.clone(), world.clock.clone()).await;
    let (one, two) = (
        world.serve(first.clone()).await,
        world.serve(second.clone()).await,
    );
    let endpoints = format!("{}, {}", one.address, two.address);
    let mut settings = world.client_settings("worker", &endpoints);
    settings.first_pause = Duration::from_millis(10);
    let client = world.client_with("worker", &settings);
    for _ in 0..20 {
        client.describe(tenant(1), storage(1)).await.unwrap();
    }
    assert_eq!((first.calls(), second.calls()), (10, 10));
    one.stop().await;
    for _ in 0..20 {
        client.describe(tenant(1), storage(1)).await.unwrap();
    }
    assert_eq!((first.calls(), second.calls()), (10, 30));
    two.stop().await;
}

#[tokio::test]
async fn endpoints_that_are_none_are_refused_with_an_example() {
    let world = World::new();
    for wrong in [
        "",
        " , ",
        "vault",
        "vault:0",
        "https://vault:1",
        ":50051",
        "vault:port",
    ] {
        let settings = world.client_settings("worker", wrong);
        let around = tintype_vault_client::Surroundings {
            clock: world.clock.clone(),
            entropy: std::sync::Arc::new(tintype_ports::fake::SeededEntropy::new(1)),
            traces: world.traces.clone(),
        };
        let refused = tintype_vault_client::VaultClient::new(&settings, None, around);
        let refused = refused.expect_err(wrong).to_string();
        assert!(refused.contains("write host:port"), "{refused}");
    }
}

#[tokio::test]
async fn a_name_with_several_addresses_is_reached_where_somebody_listens() {
    let world = World::new();
    // The name may also stand for [::1], where nobody listens.
    let server = world.serve(world.keeper().await).await;
    let endpoint = format!("localhost:{}", server.address.port());
    let mut settings = world.client_settings("worker", &endpoint);
    settings.resolve_every = Duration::from_millis(1);
    let client = world.client_with("worker", &settings);
    for _ in 0..10 {
        client.describe(tenant(1), storage(1)).await.unwrap();
    }
    server.stop().await;
}

#[tokio::test]
async fn a_name_that_is_nobodys_is_told() {
    let world = World::new();
    let mut settings = world.client_settings("worker", "vault.invalid:50051");
    settings.attempts = 1;
    let client = world.client_with("worker", &settings);
    let told = client.describe(tenant(1), storage(1)).await;
    assert!(
        matches!(&told, Err(VaultError::Unavailable(why)) if why.contains("vault.invalid")),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_message_that_is_too_big_is_refused_before_it_is_read() {
    let world = World::new();
    let keeper = world.keeper().await;
    let server = world.serve(keeper.clone()).await;
    let client = world.client("worker", server.address);
    let asked = grant(tenant(1), storage(1));
    for (bytes, words) in [
        (65 * 1024, "65536 are the most"),
        (1024 * 1024, "cannot do that"),
    ] {
        let refused = client
            .sign(&asked, &vec![0; bytes])
            .await
            .unwrap_err()
            .to_string();
        assert!(refused.contains(words), "{refused}");
    }
    assert_eq!(keeper.calls(), 0);
    server.stop().await;
}
