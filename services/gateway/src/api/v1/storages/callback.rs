//! `GET /oauth/callback`: a person comes back from Google. Nobody is let in but who brings the state of a sign-in that was begun
//! here; it opens one time. The answer is a page for people.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use secrecy::SecretString;
use serde::Deserialize;
use tintype_app::{AppError, setup::Connected};
use tintype_ports::{
    VaultError,
    vault::{SignInAnswer, SignInFault},
};

use crate::{Shared, page::Asked};

/// What Google adds to the address; the rest is not looked at.
#[derive(Debug, Deserialize)]
pub(crate) struct Query {
    state: Option<SecretString>,
    code: Option<SecretString>,
    error: Option<String>,
}

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Asked(query): Asked<Query>,
) -> Response {
    let answer = match (query.code, query.error) {
        (Some(code), None) => SignInAnswer::Code(code),
        (_, Some(word)) => SignInAnswer::Error(word),
        (None, None) => SignInAnswer::Error("no code".to_owned()),
    };
    let Some(state) = query.state else {
        return failed(&AppError::Vault(SignInFault::Unknown.into()));
    };
    match shared.app.finish_sign_in(&state, answer).await {
        Ok(connected) => done(&connected),
        Err(error) => failed(&error),
    }
}

fn done(connected: &Connected) -> Response {
    let name = &connected.storage.name;
    if connected.missing.is_empty() {
        let text = format!("{name} is connected. You can close this window.");
        return page(StatusCode::OK, "Google Photos is connected", &text, "");
    }
    let missing: Vec<_> = connected.missing.iter().map(|scope| scope.name()).collect();
    let text = format!(
        "{name} is connected, but not everything was allowed. Missing: {}.",
        missing.join(", ")
    );
    let action = "Sign in again and tick every box, or make the storage read only.";
    page(StatusCode::OK, "Something is missing", &text, action)
}

fn failed(error: &AppError) -> Response {
    let action = match error {
        AppError::Vault(VaultError::SignIn(SignInFault::OtherAccount)) => {
            "Sign in with the account of before, or say that another one is meant to take its place."
        }
        AppError::Vault(VaultError::SignIn(SignInFault::NoConsent(_))) => {
            "Nothing was changed. Begin again when you want to connect the account."
        }
        AppError::Vault(VaultError::Refused(_)) => {
            "Copy client id and secret anew from the Google Cloud console, and begin again."
        }
        _ => "Go back to where you began, and begin again.",
    };
    let problem_text = match error {
        AppError::Vault(VaultError::SignIn(fault)) => fault.to_string(),
        AppError::Vault(VaultError::Refused(refusal)) => refusal.to_string(),
        AppError::NotFound(_) => "the storage was removed meanwhile".to_owned(),
        error => {
            tracing::error!(error = %tintype_app::runs::describe(error), "a sign-in failed");
            "a part of the service is unavailable".to_owned()
        }
    };
    let status = match StatusCode::from_u16(error.kind().http_status()) {
        // It is the person's credential that is refused, not the caller's.
        Ok(StatusCode::UNAUTHORIZED) => StatusCode::CONFLICT,
        Ok(status) => status,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    page(
        status,
        "The account is not connected",
        &problem_text,
        action,
    )
}

fn page(status: StatusCode, title: &str, text: &str, action: &str) -> Response {
    let (text, action) = (escaped(text), escaped(action));
    let body = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title} - Tintype</title><body><main><h1>{title}</h1><p>{text}</p><p>{action}</p></main></body></html>"
    );
    let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    (status, kind, body).into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
