//! What can be seen of the vault from outside: health, reflection, traces, metrics, logs; and what can not.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use secrecy::{ExposeSecret as _, SecretString};
use tintype_ports::{
    Vault as _, VaultKeeper as _,
    contract::vault::{grant, storage, tenant},
    vault::Secret,
};
use tintype_vault_client::GrantSigner;
use tonic::transport::Channel;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::world::{PARENT, World, until};

async fn health(channel: &Channel, service: &str) -> ServingStatus {
    let service = service.to_owned();
    let mut client = HealthClient::new(channel.clone());
    let answer = client.check(HealthCheckRequest { service }).await;
    answer.unwrap().into_inner().status()
}

#[tokio::test]
async fn a_sealed_vault_does_not_serve_and_an_opened_one_does() {
    let world = World::new();
    let keeper = world.keeper().await;
    keeper.seal(Some("no key"));
    let server = world.serve(keeper.clone()).await;
    let channel = world.channel("scheduler", server.address);
    let (vault, kept) = ("tintype.vault.v1.Vault", "tintype.vault.v1.Keeper");
    assert_eq!(health(&channel, vault).await, ServingStatus::NotServing);
    assert_eq!(health(&channel, "").await, ServingStatus::NotServing);
    until("the keeper's service says why", async || {
        health(&channel, kept).await == ServingStatus::Serving
    })
    .await;
    assert_eq!(health(&channel, vault).await, ServingStatus::NotServing);
    keeper.seal(None);
    until("the vault serves", async || {
        health(&channel, vault).await == ServingStatus::Serving
            && health(&channel, "").await == ServingStatus::Serving
    })
    .await;
    keeper.seal(Some("the key was taken away"));
    until("the vault does not serve", async || {
        health(&channel, vault).await == ServingStatus::NotServing
    })
    .await;
    server.stop().await;
}

#[tokio::test]
async fn an_administrator_can_list_the_services_by_reflection_and_nobody_else() {
    let world = World::new();
    let server = world.serve(world.keeper().await).await;
    let asked = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut worker = ServerReflectionClient::new(world.channel("worker", server.address));
    let refused = worker
        .server_reflection_info(tokio_stream::once(asked.clone()))
        .await;
    assert_eq!(refused.unwrap_err().code(), tonic::Code::PermissionDenied);
    let mut admin = ServerReflectionClient::new(world.channel("admin", server.address));
    let answers = admin
        .server_reflection_info(tokio_stream::once(asked))
        .await
        .unwrap();
    let answer = answers
        .into_inner()
        .message()
        .await
        .unwrap()
        .expect("an answer");
    let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else {
        panic!("{answer:?}")
    };
    let mut names: Vec<String> = list
        .service
        .into_iter()
        .map(|service| service.name)
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection",
            "tintype.vault.v1.Keeper",
            "tintype.vault.v1.Vault",
        ]
    );
    server.stop().await;
}

#[tokio::test]
async fn the_callers_trace_arrives() {
    let world = World::new();
    let server = world.serve(world.keeper().await).await;
    let settings = world.client_settings("scheduler", &server.address.to_string());
    let client = world.client_traced(&settings, None, world.traces.clone());
    client.describe(tenant(1), storage(1)).await.unwrap();
    let adopted = world.traces.0.lock().unwrap().clone();
    assert_eq!(adopted, [PARENT.parse().unwrap()]);
    server.stop().await;
}

#[tokio::test]
async fn keys_that_wait_are_rewrapped_in_batches_by_themselves() {
    let world = World::new();
    let keeper = world.keeper().await;
    keeper.waiting.store(120, Ordering::SeqCst);
    let mut settings = world.settings();
    settings.rewrap.look_every = Duration::from_millis(20);
    settings.rewrap.pause = Duration::from_millis(1);
    let server = world.serve_with(settings, keeper.clone()).await;
    until("nobody waits", async || {
        keeper.key_standing().await.unwrap().waiting == 0
    })
    .await;
    assert_eq!(keeper.rewraps.load(Ordering::SeqCst), 3, "50, 50 and 20");
    server.stop().await;
}

#[tokio::test]
async fn every_call_is_counted_with_its_end() {
    let handle = metrics_exporter_prometheus::PrometheusBuilder::new()
        .install_recorder()
        .unwrap();
    let world = World::new();
    let server = world.serve(world.keeper().await).await;
    let client = world.client("scheduler", server.address);
    for _ in 0..3 {
        client.describe(tenant(1), storage(1)).await.unwrap();
    }
    client.delete(tenant(1), storage(1)).await.unwrap_err();
    let gateway = world.client("gateway", server.address);
    gateway.delete(tenant(1), storage(1)).await.unwrap_err();
    let seen = handle.render();
    for line in [
        r#"tintype_vault_requests_total{method="/tintype.vault.v1.Vault/Describe",code="ok"} 3"#,
        r#"tintype_vault_requests_total{method="/tintype.vault.v1.Vault/Delete",code="permission_denied"} 1"#,
        r#"tintype_vault_requests_total{method="/tintype.vault.v1.Vault/Delete",code="not_found"} 1"#,
        r#"tintype_vault_request_seconds_count{method="/tintype.vault.v1.Vault/Describe"} 3"#,
    ] {
        assert!(seen.contains(line), "{line} is missing in\n{seen}");
    }
    server.stop().await;
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_secret_is_ever_in_a_log_or_an_error() {
    const CANARY: &str = "canary-7f3a91";
    let captured = Captured::default();
    let writer = captured.clone();
    let everything = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(everything).unwrap();

    let world = World::new();
    let server = world.serve(world.keeper().await).await;
    let gateway = world.client("gateway", server.address);
    let worker = world.client("worker", server.address);
    let secret = |name: &str| SecretString::from(format!("{CANARY}-{name}"));
    let google = Secret::Google {
        client_id: "client".to_owned(),
        client_secret: secret("client"),
        refresh_token: secret("refresh"),
    };
    let bucket = Secret::S3 {
        access_key_id: "AKIA".to_owned(),
        secret_access_key: secret("bucket"),
    };
    let (account, place) = (grant(tenant(1), storage(1)), grant(tenant(1), storage(2)));
    gateway
        .put(account.tenant, account.storage, google)
        .await
        .unwrap();
    gateway
        .put(place.tenant, place.storage, bucket)
        .await
        .unwrap();
    let token = worker.access_token(&account, None).await.unwrap();
    worker.access_token(&account, Some(&token)).await.unwrap();
    let keys = worker.bucket_keys(&place).await.unwrap();
    assert_eq!(
        keys.secret_access_key.expose_secret(),
        format!("{CANARY}-bucket")
    );
    let mut errors = vec![
        worker.access_token(&place, None).await.unwrap_err(),
        worker
            .access_token(&grant(tenant(3), storage(3)), None)
            .await
            .unwrap_err(),
    ];
    let stolen = SecretString::from(world.worker_key.private.as_str());
    let stolen = GrantSigner::from_pem("worker-1", &stolen).unwrap();
    let settings = world.client_settings("gateway", &server.address.to_string());
    let thief = world.client_traced(&settings, Some(stolen), world.traces.clone());
    errors.push(thief.access_token(&account, None).await.unwrap_err());
    server.stop().await;

    let log = String::from_utf8_lossy(&captured.0.lock().unwrap()).into_owned();
    assert!(log.contains("vault call"), "the log is captured");
    assert!(
        log.contains("the vault refuses a call"),
        "refusals are logged"
    );
    let shown = format!("{log}{errors:?}{gateway:?}{keys:?}{token:?}");
    let private: Vec<&str> = world.worker_key.private.lines().collect();
    // Tokens of the fake Google are access-token-1, …; a grant begins with the base64 of its header.
    for secret in [CANARY, "access-token-", "eyJ", private[1]] {
        let line = shown.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is shown");
    }
}
