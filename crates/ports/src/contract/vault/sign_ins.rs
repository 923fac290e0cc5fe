//! Sign-ins, and the end of a grant.

use chrono::TimeDelta;
use secrecy::SecretString;
use tintype_model::storage::GoogleScope;

use super::{Bench, CLIENT_ID, FakeGoogle, REFRESH_TOKEN, SCOPES, google_secret, s3_secret};
use crate::{
    clock::Clock as _,
    google_auth::{RefreshAnswer, RefreshError},
    vault::{
        Grant, OAuthClient, RefusedBy, SignInAnswer, SignInFault, SignInRequest, SignedIn,
        VaultError,
    },
};

const REDIRECT: &str = "https://photos.example/oauth/callback";

fn request(client: Option<OAuthClient>) -> SignInRequest {
    SignInRequest {
        client,
        redirect_uri: REDIRECT.to_owned(),
        scopes: vec![GoogleScope::Read, GoogleScope::Append],
        other_account: false,
    }
}

fn client() -> OAuthClient {
    OAuthClient {
        id: CLIENT_ID.to_owned(),
        secret: SecretString::from("GOCSPX-client-secret"),
    }
}

fn lasting(refresh_token: &str) -> RefreshAnswer {
    RefreshAnswer {
        refresh_token: Some(SecretString::from(refresh_token)),
        ..FakeGoogle::good(&format!("access of {refresh_token}"))
    }
}

impl Bench {
    /// Where the person is sent: the challenge and the state.
    async fn begin(&self, request: SignInRequest) -> (String, SecretString) {
        let Grant {
            tenant, storage, ..
        } = self.grant;
        let page = self.vault.begin_sign_in(tenant, storage, request).await;
        let page = page.expect("a page");
        assert_eq!(page.expires_at, self.clock.now() + TimeDelta::minutes(10));
        let parts: Vec<&str> = page.url.split(' ').collect();
        let scopes = "photoslibrary.readonly.appcreateddata,photoslibrary.appendonly";
        assert_eq!(parts[..4], ["google:", CLIENT_ID, REDIRECT, scopes]);
        (parts[4].to_owned(), SecretString::from(parts[5]))
    }

    async fn finish(&self, state: &SecretString, code: &str) -> Result<SignedIn, VaultError> {
        let answer = SignInAnswer::Code(SecretString::from(code));
        self.vault.finish_sign_in(state, answer).await
    }
}

fn fault(answer: Result<SignedIn, VaultError>) -> SignInFault {
    match answer {
        Err(VaultError::SignIn(fault)) => fault,
        other => panic!("{other:?}"),
    }
}

pub(super) async fn a_sign_in_gives_a_credential_once(bench: Bench) {
    let (challenge, state) = bench.begin(request(Some(client()))).await;
    assert_eq!(challenge.len(), 43, "SHA-256 in base64 without padding");
    let Grant {
        tenant, storage, ..
    } = bench.grant;
    let described = bench.vault.describe(tenant, storage).await.expect("asked");
    assert_eq!(described, None, "nothing before the person has agreed");
    bench
        .google
        .sign_in("4/code", Ok(lasting("1//new")), Some("alice"));
    let signed_in = bench.finish(&state, "4/code").await.expect("signed in");
    assert_eq!((signed_in.tenant, signed_in.storage), (tenant, storage));
    assert_eq!(signed_in.info.public_id, CLIENT_ID);
    assert_eq!(signed_in.info.scopes, SCOPES);
    bench.token().await.expect("a token");
    assert_eq!(bench.google.last_refresh_token().as_deref(), Some("1//new"));
    let (code, verifier) = &bench.google.exchanged()[0];
    assert_eq!((code.as_str(), verifier.len()), ("4/code", 43));
    assert_ne!(*verifier, challenge);
    // Once.
    let again = fault(bench.finish(&state, "4/code").await);
    assert_eq!(again, SignInFault::Unknown);
    assert_eq!(bench.google.exchanged().len(), 1);
    let actions = bench.actions().await;
    assert_eq!(actions[..3], ["sign_in", "sign_in", "put"]);
}

pub(super) async fn an_answer_that_nobody_waits_for_opens_nothing(bench: Bench) {
    let (_, first) = bench.begin(request(Some(client()))).await;
    let forged = SecretString::from("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let opened = async |state: &SecretString| fault(bench.finish(state, "4/x").await);
    assert_eq!(opened(&forged).await, SignInFault::Unknown);
    // A second one takes the place of the first.
    let (_, second) = bench.begin(request(Some(client()))).await;
    assert_eq!(opened(&first).await, SignInFault::Unknown);
    bench.clock.advance(TimeDelta::minutes(10));
    assert_eq!(opened(&second).await, SignInFault::Unknown);
    assert_eq!(bench.google.exchanged().len(), 0, "google was not asked");
}

pub(super) async fn a_sign_in_without_a_good_end_leaves_what_was_there(bench: Bench) {
    bench.put(google_secret()).await;
    let end = async |answer: SignInAnswer| {
        // The client is the credential's.
        let (_, state) = bench.begin(request(None)).await;
        fault(bench.vault.finish_sign_in(&state, answer).await)
    };
    let code = |text: &str| SignInAnswer::Code(SecretString::from(text));
    let denied = end(SignInAnswer::Error("access_denied".into())).await;
    assert_eq!(denied, SignInFault::NoConsent("access_denied".into()));
    let reused = end(code("4/used-before")).await;
    assert!(matches!(reused, SignInFault::BadCode(_)), "{reused:?}");
    bench
        .google
        .sign_in("4/online", Ok(FakeGoogle::good("a")), None);
    assert_eq!(end(code("4/online")).await, SignInFault::NotLasting);

    let (_, state) = bench.begin(request(None)).await;
    let wrong = Err(RefreshError::InvalidClient("Unauthorized".into()));
    bench.google.sign_in("4/client", wrong, None);
    let refused = bench.finish(&state, "4/client").await;
    assert!(
        matches!(&refused, Err(VaultError::Refused(why)) if why.by == RefusedBy::Client),
        "{refused:?}"
    );
    bench.token().await.expect("the old one is good");
    assert_eq!(
        bench.google.last_refresh_token().as_deref(),
        Some(REFRESH_TOKEN)
    );
}

pub(super) async fn another_account_takes_its_place_only_where_that_was_said(bench: Bench) {
    let sign_in = async |refresh_token: &str, account: &str, other_account: bool| {
        let mut request = request(Some(client()));
        request.other_account = other_account;
        let (_, state) = bench.begin(request).await;
        let code = format!("4/{refresh_token}");
        bench
            .google
            .sign_in(&code, Ok(lasting(refresh_token)), Some(account));
        bench.finish(&state, &code).await
    };
    sign_in("1//a", "alice", false).await.expect("the first");
    sign_in("1//b", "alice", false).await.expect("alice again");
    let bob = sign_in("1//c", "bob", false).await;
    assert_eq!(fault(bob), SignInFault::OtherAccount);
    bench.token().await.expect("alice's");
    assert_eq!(bench.google.last_refresh_token().as_deref(), Some("1//b"));
    sign_in("1//d", "bob", true).await.expect("confirmed");
    bench.token().await.expect("bob's");
    assert_eq!(bench.google.last_refresh_token().as_deref(), Some("1//d"));
}

pub(super) async fn what_is_disconnected_is_given_back_to_google_and_gone(bench: Bench) {
    let Grant {
        tenant, storage, ..
    } = bench.grant;
    let absent = bench.vault.disconnect(tenant, storage).await;
    assert!(matches!(absent, Err(VaultError::NotFound)), "{absent:?}");
    bench.put(google_secret()).await;
    bench.token().await.expect("a token");
    bench
        .google
        .refuse_revocation(RefreshError::Unavailable("HTTP 503".into()));
    let passing = bench.vault.disconnect(tenant, storage).await;
    assert!(
        matches!(passing, Err(VaultError::Unavailable(_))),
        "{passing:?}"
    );
    bench.token().await.expect("everything is as it was");
    let done = bench.vault.disconnect(tenant, storage).await;
    done.expect("disconnected");
    assert_eq!(bench.google.revoked(), [REFRESH_TOKEN]);
    let gone = bench.token().await;
    assert!(matches!(gone, Err(VaultError::NotFound)), "{gone:?}");
    let known = bench.vault.describe(tenant, storage).await;
    assert_eq!(known.expect("asked"), None);

    bench.put(s3_secret()).await;
    let keys = bench.vault.disconnect(tenant, storage).await;
    keys.expect("keys have no grant to give back");
    assert_eq!(bench.google.revoked().len(), 1);
}
