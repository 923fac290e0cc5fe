//! Who gets a connection at all, and certificates that change while everything runs.

use std::{fs, net::SocketAddr};

use tintype_ports::{
    Vault as _, VaultError,
    contract::vault::{storage, tenant},
};
use tintype_proto::vault::v1::{GetSealStatusRequest, keeper_client::KeeperClient};
use tintype_runtime::mtls::client_config;
use tintype_testkit::certificates::{DevAuthority, Validity};
use tonic::transport::Channel;

use crate::world::{World, builder, channel_with, files, id, until};

/// Whether a caller gets through to the vault.
async fn gets_in(channel: Channel) -> bool {
    let answer = KeeperClient::new(channel)
        .get_seal_status(GetSealStatusRequest {})
        .await;
    answer.is_ok()
}

#[tokio::test]
async fn only_certificates_of_our_authority_and_trust_domain_that_are_valid_now_get_in() {
    let world = World::new();
    let keeper = world.keeper().await;
    let server = world.serve(keeper.clone()).await;
    let stranger = DevAuthority::new();
    let worker = id("worker");
    let worker = worker.as_str();
    let odd = |authority: &DevAuthority, uris: &[&str], validity| {
        world.odd_channel(authority, uris, validity, server.address)
    };
    assert!(gets_in(odd(&world.authority, &[worker], Validity::Current)).await);
    let refused = [
        (
            "expired",
            odd(&world.authority, &[worker], Validity::Expired),
        ),
        (
            "not valid yet",
            odd(&world.authority, &[worker], Validity::Future),
        ),
        (
            "of another authority",
            odd(&stranger, &[worker], Validity::Current),
        ),
        (
            "without an identity",
            odd(&world.authority, &[], Validity::Current),
        ),
        (
            "with two identities",
            odd(
                &world.authority,
                &[worker, "spiffe://tintype.test/admin"],
                Validity::Current,
            ),
        ),
        (
            "with an identity and another URI",
            odd(
                &world.authority,
                &[worker, "https://tintype.test/"],
                Validity::Current,
            ),
        ),
        (
            "of another trust domain",
            odd(
                &world.authority,
                &["spiffe://evil.test/worker"],
                Validity::Current,
            ),
        ),
        (
            "with an identity that is none",
            odd(
                &world.authority,
                &["spiffe://tintype.test/"],
                Validity::Current,
            ),
        ),
    ];
    for (what, channel) in refused {
        assert!(!gets_in(channel).await, "a certificate {what} is refused");
    }
    assert_eq!(keeper.calls(), 0, "nobody reached the keeper");
    server.stop().await;
}

#[tokio::test]
async fn nobody_gets_in_without_a_certificate_or_with_old_tls() {
    let world = World::new();
    let server = world.serve(world.keeper().await).await;
    let bare = builder(&[&rustls::version::TLS13], world.authority.pem()).with_no_client_auth();
    assert!(!gets_in(channel_with(bare, server.address)).await);
    let material = world.tls("worker").read().unwrap();
    let good = client_config(&material, "vault").unwrap();
    assert!(gets_in(channel_with(good, server.address)).await);
    let old = builder(&[&rustls::version::TLS12], world.authority.pem()).with_no_client_auth();
    assert!(!gets_in(channel_with(old, server.address)).await);
    let plain = tonic::transport::Endpoint::from_shared(format!("http://{}", server.address));
    assert!(!gets_in(plain.unwrap().connect_lazy()).await);
    server.stop().await;
}

#[tokio::test]
async fn a_client_does_not_speak_to_a_server_that_is_not_the_vault() {
    let world = World::new();
    let stranger = DevAuthority::new();
    let impostors = [
        files(
            world
                .authority
                .write(world.path(), "impostor", &id("worker")),
        ),
        files(stranger.write(world.path(), "stranger", &id("vault"))),
    ];
    for tls in impostors {
        // An impostor would not care who calls.
        fs::write(&tls.authorities, world.authority.pem()).unwrap();
        let mut settings = world.settings();
        settings.tls = tls;
        let server = world.serve_with(settings, world.keeper().await).await;
        let mut patience = world.client_settings("worker", &server.address.to_string());
        patience.attempts = 2;
        let client = world.client_with("worker", &patience);
        let told = client.describe(tenant(1), storage(1)).await;
        assert!(
            matches!(&told, Err(VaultError::Unavailable(why)) if why.contains("certificate")),
            "{told:?}"
        );
        server.stop().await;
    }
}

/// A whole new set of certificates in the same files.
fn exchange(world: &World, authority: &DevAuthority, service: &str) {
    let _ = authority.write(world.path(), service, &id(service));
}

async fn asks(world: &World, service: &str, address: SocketAddr, authority: &DevAuthority) -> bool {
    let certified = authority.certify(&[&id(service)], Validity::Current);
    let tls = authority.write_certified(world.path(), "asking", &certified);
    let config = client_config(&files(tls).read().unwrap(), "vault").unwrap();
    gets_in(channel_with(config, address)).await
}

#[tokio::test]
async fn the_vault_takes_up_new_certificates_without_a_restart_and_keeps_old_ones_when_new_ones_are_broken()
 {
    let world = World::new();
    let next = DevAuthority::new();
    let server = world.serve(world.keeper().await).await;
    let address = server.address;
    assert!(asks(&world, "worker", address, &world.authority).await);
    assert!(!asks(&world, "worker", address, &next).await);

    exchange(&world, &next, "vault");
    until("the new certificates in use", || {
        asks(&world, "worker", address, &next)
    })
    .await;
    assert!(!asks(&world, "worker", address, &world.authority).await);

    fs::write(world.path().join("vault.pem"), "broken").unwrap();
    let error = server.certificates.reload().unwrap_err().to_string();
    assert!(
        error.contains("vault.pem") && error.contains("no certificate"),
        "{error}"
    );
    assert!(asks(&world, "worker", address, &next).await);

    // A key that does not fit, and a certificate that is somebody else's, are no better.
    let (other, admin) = (
        next.certify(&[&id("vault")], Validity::Current),
        next.certify(&[&id("admin")], Validity::Current),
    );
    fs::write(world.path().join("vault.pem"), other.certificate).unwrap();
    assert!(server.certificates.reload().is_err());
    let _ = next.write_certified(world.path(), "vault", &admin);
    assert!(server.certificates.reload().is_err());
    assert!(asks(&world, "worker", address, &next).await);

    exchange(&world, &world.authority, "vault");
    until("the first authority again", || {
        asks(&world, "worker", address, &world.authority)
    })
    .await;
    server.stop().await;
}

#[tokio::test]
async fn a_client_takes_up_new_certificates_without_a_restart() {
    let world = World::new();
    let next = DevAuthority::new();
    let server = world.serve(world.keeper().await).await;
    let mut settings = world.client_settings("worker", &server.address.to_string());
    settings.attempts = 1;
    let client = world.client_with("worker", &settings);
    client.describe(tenant(1), storage(1)).await.unwrap();

    exchange(&world, &next, "worker");
    assert!(client.reload().unwrap());
    let shut_out = client.describe(tenant(1), storage(1)).await;
    assert!(
        matches!(shut_out, Err(VaultError::Unavailable(_))),
        "it shows the new certificate, which the vault does not know yet: {shut_out:?}"
    );
    exchange(&world, &next, "vault");
    until("both have the new certificates", async || {
        client.describe(tenant(1), storage(1)).await.is_ok()
    })
    .await;

    fs::write(world.path().join("worker.key"), "broken").unwrap();
    assert!(client.reload().is_err());
    client.describe(tenant(1), storage(1)).await.unwrap();

    // The same by itself, after a while.
    settings.reload_every = std::time::Duration::from_millis(20);
    exchange(&world, &next, "worker");
    let watchful = world.client_with("worker", &settings);
    watchful.describe(tenant(1), storage(1)).await.unwrap();
    exchange(&world, &world.authority, "worker");
    exchange(&world, &world.authority, "vault");
    until("the client followed by itself", async || {
        watchful.describe(tenant(1), storage(1)).await.is_ok()
            && !asks(&world, "worker", server.address, &next).await
    })
    .await;
    server.stop().await;
}
