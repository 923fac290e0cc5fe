//! Attacks on grants. None is accepted, and none comes as far as the keeper.

use std::net::SocketAddr;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};
use tintype_ports::{
    Clock as _, Vault as _, VaultError,
    contract::vault::{google_secret, grant, storage, tenant},
    vault::Grant,
};
use tintype_proto::{
    refusal,
    vault::v1::{IssueAccessTokenRequest, Reason, vault_client::VaultClient},
};
use tintype_testkit::certificates::GrantKeyPair;
use tintype_vault::{GrantKey, ServeError, Surroundings, VaultServer};
use tonic::{Code, Status};

use crate::world::{World, id};

fn header(changes: Value) -> Header {
    let mut header = json!({ "alg": "EdDSA", "typ": "tintype-grant+jwt", "kid": "worker-1" });
    merge(&mut header, changes);
    serde_json::from_value(header).unwrap()
}

fn claims(world: &World, changes: Value) -> Value {
    let now = world.clock.now().timestamp();
    let mut claims = json!({
        "iss": id("worker"),
        "aud": "tintype-vault",
        "sub": tenant(1).to_string(),
        "storage": storage(1).to_string(),
        "scope": "list",
        "iat": now,
        "nbf": now,
        "exp": now + 60,
        "jti": "1",
    });
    merge(&mut claims, changes);
    claims
}

/// `null` takes a field away.
fn merge(object: &mut Value, changes: Value) {
    let object = object.as_object_mut().unwrap();
    let Value::Object(changes) = changes else {
        panic!("changes are an object")
    };
    for (name, value) in changes {
        if value.is_null() {
            object.remove(&name);
        } else {
            object.insert(name, value);
        }
    }
}

fn signed(key: &GrantKeyPair, header: &Header, claims: &Value) -> String {
    let key = EncodingKey::from_ed_pem(key.private.as_bytes()).unwrap();
    encode(header, claims, &key).unwrap()
}

fn by_hand(header: &Value, claims: &Value, signature: &[u8]) -> String {
    let part = |value: &Value| BASE64.encode(value.to_string());
    let signature = BASE64.encode(signature);
    format!("{}.{}.{signature}", part(header), part(claims))
}

async fn issue(world: &World, service: &str, at: SocketAddr, grant: String) -> Result<(), Status> {
    let request = IssueAccessTokenRequest {
        grant,
        rejected_token: None,
    };
    let mut client = VaultClient::new(world.channel(service, at));
    client.issue_access_token(request).await.map(drop)
}

fn attacks(world: &World) -> Vec<(&'static str, String)> {
    let ours = &world.worker_key;
    let plain = header(json!({}));
    let good = claims(world, json!({}));
    let with_header = |changes: Value| signed(ours, &header(changes), &good);
    let with_claims = |changes: Value| signed(ours, &plain, &claims(world, changes));
    let now = world.clock.now().timestamp();
    let hmac = |secret: &[u8]| {
        let hs = header(json!({ "alg": "HS256" }));
        encode(&hs, &good, &EncodingKey::from_secret(secret)).unwrap()
    };
    let der: String = ours
        .public
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let der = base64::engine::general_purpose::STANDARD
        .decode(der)
        .unwrap();
    let none = |alg: &str| json!({ "alg": alg, "typ": "tintype-grant+jwt", "kid": "worker-1" });
    let accepted = signed(ours, &plain, &good);
    let (body, signature) = accepted.rsplit_once('.').unwrap();
    let other_body = claims(world, json!({ "sub": tenant(2).to_string() }));
    let (head, _) = body.split_once('.').unwrap();
    let swapped = format!(
        "{head}.{}.{signature}",
        BASE64.encode(other_body.to_string())
    );
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": BASE64.encode(&der[12..]) });
    vec![
        ("empty", String::new()),
        ("no token", "a.b.c".to_owned()),
        ("too big", format!("{accepted}{}", "A".repeat(5000))),
        ("alg none", by_hand(&none("none"), &good, b"")),
        ("alg None", by_hand(&none("None"), &good, b"")),
        (
            "alg none with the real signature",
            by_hand(&none("none"), &good, signature.as_bytes()),
        ),
        ("no signature", by_hand(&none("EdDSA"), &good, b"")),
        (
            "HS256 with the public key as PEM",
            hmac(ours.public.as_bytes()),
        ),
        ("HS256 with the public key's bytes", hmac(&der[12..])),
        ("another tenant under the old signature", swapped),
        (
            "a key of the attacker",
            signed(&GrantKeyPair::new(), &plain, &good),
        ),
        (
            "a kid that is not listed",
            with_header(json!({ "kid": "worker-2" })),
        ),
        (
            "a kid that is a path",
            with_header(json!({ "kid": "../../dev/null" })),
        ),
        ("no kid", with_header(json!({ "kid": null }))),
        (
            "jku",
            with_header(json!({ "jku": "https://evil.test/keys" })),
        ),
        (
            "x5u",
            with_header(json!({ "x5u": "https://evil.test/cert" })),
        ),
        ("x5c", with_header(json!({ "x5c": ["MIIB"] }))),
        ("jwk", with_header(json!({ "jwk": jwk }))),
        ("crit", with_header(json!({ "crit": ["exp"] }))),
        (
            "a header of one's own",
            with_header(json!({ "trust": "me" })),
        ),
        ("typ JWT", with_header(json!({ "typ": "JWT" }))),
        ("no typ", with_header(json!({ "typ": null }))),
        (
            "another audience",
            with_claims(json!({ "aud": "tintype-gateway" })),
        ),
        (
            "two audiences",
            with_claims(json!({ "aud": ["tintype-vault", "x"] })),
        ),
        ("no audience", with_claims(json!({ "aud": null }))),
        (
            "another issuer",
            with_claims(json!({ "iss": id("gateway") })),
        ),
        ("no issuer", with_claims(json!({ "iss": null }))),
        ("no tenant", with_claims(json!({ "sub": null }))),
        (
            "a tenant that is none",
            with_claims(json!({ "sub": storage(1).to_string() })),
        ),
        ("no storage", with_claims(json!({ "storage": null }))),
        ("a run that is none", with_claims(json!({ "run": "run_1" }))),
        (
            "expired",
            with_claims(json!({ "iat": now - 70, "nbf": now - 70, "exp": now - 6 })),
        ),
        ("no end", with_claims(json!({ "exp": null }))),
        (
            "an end that is no number",
            with_claims(json!({ "exp": "tomorrow" })),
        ),
        ("no beginning", with_claims(json!({ "nbf": null }))),
        ("not valid yet", with_claims(json!({ "nbf": now + 7 }))),
        ("made in the future", with_claims(json!({ "iat": now + 7 }))),
        (
            "valid for too long",
            with_claims(json!({ "exp": now + 301 })),
        ),
        (
            "valid for too long from its nbf",
            with_claims(json!({ "nbf": now - 280 })),
        ),
        (
            "valid for ever",
            with_claims(json!({ "exp": i64::MAX, "iat": i64::MIN })),
        ),
        ("no id", with_claims(json!({ "jti": null }))),
        (
            "a scope that is none",
            with_claims(json!({ "scope": "everything" })),
        ),
        (
            "two scopes",
            with_claims(json!({ "scope": ["list", "sign"] })),
        ),
        (
            "a claim of one's own",
            with_claims(json!({ "admin": true })),
        ),
    ]
}

#[tokio::test]
async fn no_forged_grant_is_accepted() {
    let world = World::new();
    let keeper = world.keeper().await;
    let server = world.serve(keeper.clone()).await;
    let gateway = world.client("gateway", server.address);
    gateway
        .put(tenant(1), storage(1), google_secret())
        .await
        .unwrap();
    gateway
        .put(tenant(2), storage(1), google_secret())
        .await
        .unwrap();
    let before = keeper.calls();
    for (attack, token) in attacks(&world) {
        let status = issue(&world, "worker", server.address, token).await;
        let status = status.expect_err(attack);
        assert_eq!(
            status.code(),
            Code::PermissionDenied,
            "{attack}: {status:?}"
        );
        let reason = refusal::of_status(&status).map(|(reason, _)| reason);
        assert_eq!(reason, Some(Reason::Denied), "{attack}");
    }
    assert_eq!(
        keeper.calls(),
        before,
        "no attack came as far as the keeper"
    );
    assert_eq!(world.google.calls(), 0);

    // The same way, without an attack: it is the attacks that are refused.
    for changes in [
        json!({}),
        json!({ "exp": world.clock.now().timestamp() + 300 }),
    ] {
        let good = signed(
            &world.worker_key,
            &header(json!({})),
            &claims(&world, changes),
        );
        issue(&world, "worker", server.address, good).await.unwrap();
    }
    server.stop().await;
}

#[tokio::test]
async fn a_grant_is_of_use_to_its_owner_alone() {
    let world = World::new();
    let keeper = world.keeper().await;
    let server = world.serve(keeper.clone()).await;
    let stolen = signed(
        &world.worker_key,
        &header(json!({})),
        &claims(&world, json!({})),
    );
    let status = issue(&world, "gateway", server.address, stolen)
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    assert!(status.message().contains("belongs to"), "{status:?}");
    assert_eq!(keeper.calls(), 0);
    server.stop().await;
}

#[tokio::test]
async fn a_key_asks_only_for_the_scopes_it_is_listed_with() {
    let world = World::new();
    let server = world.serve(world.keeper().await).await;
    let gateway = world.client("gateway", server.address);
    gateway
        .put(tenant(1), storage(1), google_secret())
        .await
        .unwrap();
    let listing = grant(tenant(1), storage(1));
    let refused = gateway.access_token(&listing, None).await;
    assert!(
        matches!(&refused, Err(VaultError::Denied(why)) if why.contains("may not ask for list")),
        "{refused:?}"
    );
    let testing = Grant {
        purpose: "test".to_owned(),
        ..listing.clone()
    };
    gateway.access_token(&testing, None).await.unwrap();
    let dreaming = Grant {
        purpose: "dream".to_owned(),
        ..listing.clone()
    };
    let refused = gateway.access_token(&dreaming, None).await;
    assert!(matches!(refused, Err(VaultError::Denied(_))), "{refused:?}");
    let keyless = world.client("admin", server.address);
    let refused = keyless.access_token(&testing, None).await;
    assert!(matches!(refused, Err(VaultError::Denied(_))), "{refused:?}");
    server.stop().await;
}

#[tokio::test]
async fn the_keeper_is_asked_for_exactly_what_the_grant_says() {
    let world = World::new();
    let keeper = world.keeper().await;
    let server = world.serve(keeper.clone()).await;
    let gateway = world.client("gateway", server.address);
    gateway
        .put(tenant(2), storage(7), google_secret())
        .await
        .unwrap();
    let run = tintype_model::RunId::new(chrono::DateTime::UNIX_EPOCH, [3; 10]);
    let asked = Grant {
        run: Some(run),
        purpose: "download".to_owned(),
        ..grant(tenant(2), storage(7))
    };
    world
        .client("worker", server.address)
        .access_token(&asked, None)
        .await
        .unwrap();
    let log = gateway.audit_log(tenant(2), 0, 10).await.unwrap();
    let issued = log
        .iter()
        .find(|entry| entry.action == "issue")
        .expect("an issue");
    assert_eq!(
        (issued.storage, issued.run, issued.purpose.as_str()),
        (Some(storage(7)), Some(run), "download")
    );
    server.stop().await;
}

#[tokio::test]
async fn grant_keys_that_cannot_be_used_are_told_at_the_start() {
    let world = World::new();
    let around = || Surroundings {
        clock: world.clock.clone(),
        traces: world.traces.clone(),
    };
    let mut settings = world.settings();
    settings.grant_keys[0].public_key = "-----BEGIN PUBLIC KEY-----".to_owned();
    let keeper = world.keeper().await;
    let refused = VaultServer::bind(settings, keeper.clone(), around()).await;
    assert!(matches!(refused.err(), Some(ServeError::GrantKey(key)) if key == "worker-1"));
    let mut settings = world.settings();
    let twice: GrantKey = settings.grant_keys[0].clone();
    settings.grant_keys.push(twice);
    let refused = VaultServer::bind(settings, keeper, around()).await;
    assert!(matches!(refused.err(), Some(ServeError::GrantKeyTwice(key)) if key == "worker-1"));
}
