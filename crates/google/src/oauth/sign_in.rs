//! The authorization code grant with PKCE: a person signs in at Google and comes back with a code.

use reqwest::StatusCode;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tintype_ports::google_auth::{RefreshAnswer, RefreshError, SignIn};

use super::{
    GoogleOAuth,
    call::{Trouble, refused, tokens},
};
use crate::failure::Passing;

/// What scopes begin with.
const SCOPE_ROOT: &str = "https://www.googleapis.com/auth/";
/// Allows to ask whose account it is, and nothing about the person.
const WHO: &str = "openid";

/// The page on which the person allows or denies. A refresh token comes of it each time, not just the first.
pub(super) fn url(google: &GoogleOAuth, sign_in: &SignIn<'_>) -> String {
    let mut scopes = WHO.to_owned();
    for scope in sign_in.scopes {
        scopes.push(' ');
        scopes.push_str(SCOPE_ROOT);
        scopes.push_str(scope.name());
    }
    let mut url = google.settings.endpoints.auth.clone();
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", sign_in.client_id)
        .append_pair("redirect_uri", sign_in.redirect_uri)
        .append_pair("scope", &scopes)
        .append_pair("state", sign_in.state)
        .append_pair("code_challenge", sign_in.challenge)
        .append_pair("code_challenge_method", "S256")
        .append_pair("access_type", "offline")
        .append_pair("prompt", "consent");
    url.into()
}

/// Trades the code for tokens. It is not repeated: Google takes a code once, and one that comes again may end the grant.
pub(super) async fn exchange(
    google: &GoogleOAuth,
    (client_id, client_secret): (&str, &SecretString),
    redirect_uri: &str,
    code: &SecretString,
    verifier: &SecretString,
) -> Result<RefreshAnswer, RefreshError> {
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", client_id),
        ("client_secret", client_secret.expose_secret()),
        ("redirect_uri", redirect_uri),
        ("code", code.expose_secret()),
        ("code_verifier", verifier.expose_secret()),
    ];
    let endpoint = google.settings.endpoints.token.clone();
    let request = google.client.post(endpoint).form(&form);
    google
        .once(request, tokens)
        .await
        .map_err(|trouble| match trouble {
            Trouble::Passing(passing) => RefreshError::Unavailable(passing.text),
            Trouble::Final(error) => error,
        })
}

#[derive(Deserialize)]
struct Who {
    sub: String,
}

pub(super) async fn account(
    google: &GoogleOAuth,
    access_token: &SecretString,
) -> Result<Option<String>, RefreshError> {
    let endpoint = &google.settings.endpoints.user_info;
    let request = || {
        let request = google.client.get(endpoint.clone());
        request.bearer_auth(access_token.expose_secret())
    };
    google
        .patiently(request, |answer| match answer.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Ok(None),
            status if status.is_success() => {
                let who = serde_json::from_slice::<Who>(&answer.body);
                let who = who.ok().filter(|it| (1..=255).contains(&it.sub.len()));
                let not_told = || Trouble::Passing(Passing::trouble("it does not say who it is"));
                who.map(|it| Some(it.sub)).ok_or_else(not_told)
            }
            _ => Err(refused(answer)),
        })
        .await
}
