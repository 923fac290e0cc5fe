//! Which service may call what: all methods by all identities.

use tintype_ports::contract::vault::{storage, tenant};
use tintype_proto::vault::v1::{self, keeper_client::KeeperClient, vault_client::VaultClient};
use tonic::{Code, Status, transport::Channel};

use crate::world::{SERVICES, World, id};

/// Every method of both services, with the services that may call it.
const ALLOWED: [(&str, &[&str]); 17] = [
    ("Put", &["gateway", "admin"]),
    ("Describe", &["gateway", "worker", "scheduler", "admin"]),
    ("Rotate", &["gateway", "admin"]),
    ("Revoke", &["gateway", "admin"]),
    ("Delete", &["gateway", "admin"]),
    ("IssueAccessToken", &["gateway", "worker"]),
    ("KeepAlive", &["worker", "scheduler"]),
    ("RevealBucketKeys", &["gateway", "worker"]),
    ("Sign", &["worker"]),
    ("GetSigningKey", &["gateway", "worker"]),
    ("ListAccessLog", &["gateway", "admin"]),
    ("GetKeyStanding", &["admin"]),
    ("Rewrap", &["admin"]),
    ("RotateTenantKey", &["admin"]),
    ("DestroyTenant", &["admin"]),
    ("VerifyAccessLog", &["gateway", "admin"]),
    (
        "GetSealStatus",
        &["gateway", "worker", "scheduler", "admin"],
    ),
];

/// Calls a method with nothing in it: a caller who is let in is told what is missing.
async fn call(channel: Channel, method: &str) -> Result<(), Status> {
    let mut vault = VaultClient::new(channel.clone());
    let mut keeper = KeeperClient::new(channel);
    match method {
        "Put" => vault.put(v1::PutRequest::default()).await.map(drop),
        "Describe" => vault
            .describe(v1::DescribeRequest::default())
            .await
            .map(drop),
        "Rotate" => vault.rotate(v1::RotateRequest::default()).await.map(drop),
        "Revoke" => vault.revoke(v1::RevokeRequest::default()).await.map(drop),
        "Delete" => vault.delete(v1::DeleteRequest::default()).await.map(drop),
        "IssueAccessToken" => {
            let empty = v1::IssueAccessTokenRequest::default();
            vault.issue_access_token(empty).await.map(drop)
        }
        "KeepAlive" => {
            let empty = v1::KeepAliveRequest::default();
            vault.keep_alive(empty).await.map(drop)
        }
        "RevealBucketKeys" => {
            let empty = v1::RevealBucketKeysRequest::default();
            vault.reveal_bucket_keys(empty).await.map(drop)
        }
        "Sign" => vault.sign(v1::SignRequest::default()).await.map(drop),
        "GetSigningKey" => {
            let empty = v1::GetSigningKeyRequest::default();
            vault.get_signing_key(empty).await.map(drop)
        }
        "ListAccessLog" => {
            let empty = v1::ListAccessLogRequest::default();
            vault.list_access_log(empty).await.map(drop)
        }
        "GetKeyStanding" => {
            let empty = v1::GetKeyStandingRequest::default();
            keeper.get_key_standing(empty).await.map(drop)
        }
        "Rewrap" => keeper.rewrap(v1::RewrapRequest::default()).await.map(drop),
        "RotateTenantKey" => {
            let empty = v1::RotateTenantKeyRequest::default();
            keeper.rotate_tenant_key(empty).await.map(drop)
        }
        "DestroyTenant" => {
            let empty = v1::DestroyTenantRequest::default();
            keeper.destroy_tenant(empty).await.map(drop)
        }
        "VerifyAccessLog" => {
            let empty = v1::VerifyAccessLogRequest::default();
            keeper.verify_access_log(empty).await.map(drop)
        }
        "GetSealStatus" => {
            let empty = v1::GetSealStatusRequest::default();
            keeper.get_seal_status(empty).await.map(drop)
        }
        other => panic!("{other} is not called by this test"),
    }
}

/// Refused at the door, before anybody looked at the message.
fn was_shut_out(result: &Result<(), Status>) -> bool {
    matches!(result, Err(status) if status.code() == Code::PermissionDenied
        && status.message().contains("may not call"))
}

#[tokio::test]
async fn each_identity_may_call_its_own_methods_and_no_other() {
    let world = World::new();
    let server = world.serve(world.keeper().await).await;
    for service in SERVICES.into_iter().chain(["vault", "portal"]) {
        let channel = world.channel(service, server.address);
        for (method, allowed) in ALLOWED {
            let result = call(channel.clone(), method).await;
            assert_eq!(
                was_shut_out(&result),
                !allowed.contains(&service),
                "{service} calls {method}: {result:?}"
            );
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_refusal_names_who_may_not_do_what() {
    let world = World::new();
    let keeper = world.keeper().await;
    let server = world.serve(keeper.clone()).await;
    let scheduler = world.client("scheduler", server.address);
    let refused = tintype_ports::Vault::delete(&scheduler, tenant(1), storage(1)).await;
    let refused = refused.unwrap_err().to_string();
    let expected = format!(
        "{} may not call /tintype.vault.v1.Vault/Delete",
        id("scheduler")
    );
    assert!(refused.contains(&expected), "{refused}");
    assert_eq!(keeper.calls(), 0);
    server.stop().await;
}
