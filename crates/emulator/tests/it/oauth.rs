//! Consent, tokens and how they die.

use serde_json::Value;
use tintype_emulator::{
    ConsentAnswer, DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, Library, SCOPE_READ,
};
use url::Url;

use crate::helper::{Google, json};

const BACK: &str = "http://127.0.0.1:53682/";
/// The pair of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

async fn token(google: &Google, form: &[(&str, &str)]) -> (u16, Value) {
    let mut form = form.to_vec();
    form.extend([
        ("client_id", DEFAULT_CLIENT_ID),
        ("client_secret", DEFAULT_CLIENT_SECRET),
    ]);
    json(
        google
            .http
            .post(google.url("/token"))
            .form(&form)
            .send()
            .await
            .unwrap(),
    )
    .await
}

async fn refresh(google: &Google, refresh_token: &str) -> (u16, Value) {
    token(
        google,
        &[
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
        ],
    )
    .await
}

fn consent_url(google: &Google) -> Url {
    let parameters = [
        ("client_id", DEFAULT_CLIENT_ID),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("scope", SCOPE_READ),
        ("state", "s&1"),
        ("access_type", "offline"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    Url::parse_with_params(&google.url("/o/oauth2/v2/auth"), parameters).unwrap()
}

async fn decide(google: &Google, decision: &str) -> Url {
    let form = [("decision", decision), ("account", DEFAULT_ACCOUNT)];
    let answer = google
        .http
        .post(consent_url(google))
        .form(&form)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 302);
    answer.headers()["location"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap()
}

fn part(url: &Url, name: &str) -> Option<String> {
    url.query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

#[tokio::test]
async fn a_person_allows_and_the_code_works_exactly_once() {
    let google = Google::with(Library::Sample).await;
    let page = google
        .http
        .get(consent_url(&google))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(page.contains("value=\"allow\"") && page.contains(DEFAULT_ACCOUNT));
    let back = decide(&google, "allow").await;
    assert_eq!(part(&back, "state").as_deref(), Some("s&1"));
    let code = part(&back, "code").unwrap();
    let exchange = async |redirect: &str, verifier: &str| {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", redirect),
            ("code_verifier", verifier),
        ];
        token(&google, &form).await
    };
    assert_eq!(exchange(BACK, "wrong").await.1["error"], "invalid_grant");
    assert_eq!(
        exchange("http://127.0.0.1:1/", VERIFIER).await.1["error"],
        "redirect_uri_mismatch"
    );
    let (status, grant) = exchange(BACK, VERIFIER).await;
    assert_eq!((status, &grant["scope"]), (200, &SCOPE_READ.into()));
    assert_eq!(exchange(BACK, VERIFIER).await.1["error"], "invalid_grant");
    assert_eq!(
        refresh(&google, grant["refresh_token"].as_str().unwrap())
            .await
            .0,
        200
    );
}

#[tokio::test]
async fn a_denial_comes_back_as_such() {
    let google = Google::with(Library::Sample).await;
    let back = decide(&google, "deny").await;
    assert_eq!(part(&back, "error").as_deref(), Some("access_denied"));
    google
        .control()
        .set(|switches| switches.consent = Some(ConsentAnswer::Allow));
    let answer = google.http.get(consent_url(&google)).send().await.unwrap();
    assert_eq!(answer.status(), 302);
}

#[tokio::test]
async fn unknown_redirects_and_clients_are_refused() {
    let google = Google::with(Library::Sample).await;
    let mut url = consent_url(&google);
    url.set_query(Some(
        &url.query().unwrap().replace("127.0.0.1", "evil.example"),
    ));
    assert_eq!(google.http.get(url).send().await.unwrap().status(), 400);
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "nobody"),
        ("client_secret", "x"),
    ];
    let (status, body) = json(
        google
            .http
            .post(google.url("/token"))
            .form(&form)
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert_eq!((status, &body["error"]), (401, &"invalid_client".into()));
}

#[tokio::test]
async fn a_revoked_grant_dies_with_its_access_tokens() {
    let google = Google::with(Library::Sample).await;
    let token = google.running.grant().refresh_token.clone();
    let revoke = google
        .http
        .post(google.url("/revoke"))
        .form(&[("token", &token)]);
    assert_eq!(revoke.send().await.unwrap().status(), 200);
    let (status, body) = refresh(&google, &token).await;
    assert_eq!((status, &body["error"]), (400, &"invalid_grant".into()));
    assert_eq!(
        body["error_description"],
        "Token has been expired or revoked."
    );
    assert_eq!(google.get_json("/v1/mediaItems").await.0, 401);
}

#[tokio::test]
async fn in_testing_a_token_foretells_its_death_and_dies_after_seven_days() {
    let google = Google::with(Library::Sample).await;
    google
        .control()
        .set(|switches| switches.testing_mode = true);
    let token = google.running.grant().refresh_token.clone();
    let (_, body) = refresh(&google, &token).await;
    let left = body["refresh_token_expires_in"].as_i64().unwrap();
    assert!((604_700..=604_800).contains(&left));
    google.control().advance(7 * 86_400_000);
    assert_eq!(refresh(&google, &token).await.0, 400);
}

#[tokio::test]
async fn the_oldest_of_more_than_100_refresh_tokens_dies() {
    let google = Google::with(Library::Sample).await;
    let oldest = google.running.grant().refresh_token.clone();
    for _ in 0..99 {
        google
            .control()
            .grant(DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, None)
            .unwrap();
    }
    assert_eq!(refresh(&google, &oldest).await.0, 200);
    google
        .control()
        .grant(DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, None)
        .unwrap();
    assert_eq!(refresh(&google, &oldest).await.0, 400);
}

#[tokio::test]
async fn a_refresh_can_answer_a_new_refresh_token_and_access_tokens_expire() {
    let google = Google::with(Library::Sample).await;
    google
        .control()
        .set(|switches| switches.rotate_refresh_token = true);
    let token = google.running.grant().refresh_token.clone();
    let (_, body) = refresh(&google, &token).await;
    let fresh = body["refresh_token"].as_str().unwrap();
    assert_ne!(fresh, token);
    assert_eq!(refresh(&google, fresh).await.0, 200);
    google.control().advance(3_600_000);
    assert_eq!(google.get_json("/v1/mediaItems").await.0, 401);
}
