//! One call of an OAuth endpoint after another, as patience allows, and what its answers mean.

use std::time::Duration;

use reqwest::{RequestBuilder, StatusCode, header::HeaderMap};
use secrecy::SecretString;
use serde::Deserialize;
use tintype_ports::google_auth::{RefreshAnswer, RefreshError};
use tokio::time::{sleep, timeout};

use super::GoogleOAuth;
use crate::{
    attempt::read_bounded,
    failure::{Passing, of_transport, retry_after, shortened},
    patience::Patience,
};

/// Longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024;

/// An answer, whatever its status.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// Why one attempt failed.
pub(super) enum Trouble {
    Passing(Passing),
    Final(RefreshError),
}

#[derive(Deserialize)]
struct Tokens {
    access_token: SecretString,
    expires_in: u64,
    refresh_token: Option<SecretString>,
    refresh_token_expires_in: Option<u64>,
    #[serde(default)]
    scope: String,
}

#[derive(Deserialize)]
struct BadAnswer {
    error: String,
    #[serde(default)]
    error_description: String,
}

impl GoogleOAuth {
    /// Makes the call again while its trouble may pass.
    pub(super) async fn patiently<T>(
        &self,
        request: impl Fn() -> RequestBuilder,
        judge: impl Fn(&Answer) -> Result<T, Trouble>,
    ) -> Result<T, RefreshError> {
        let mut patience = Patience::default();
        loop {
            let passing = match self.once(request(), &judge).await {
                Ok(answer) => return Ok(answer),
                Err(Trouble::Final(error)) => return Err(error),
                Err(Trouble::Passing(passing)) => passing,
            };
            let due = patience.wait_after(&passing, &self.settings.retry, self.entropy.as_ref());
            let Some(wait) = due else {
                return Err(RefreshError::Unavailable(passing.text));
            };
            sleep(wait).await;
        }
    }

    /// Makes the call one time.
    pub(super) async fn once<T>(
        &self,
        request: RequestBuilder,
        judge: impl Fn(&Answer) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let deadline = self.settings.deadlines.call;
        let whole = async {
            let response = request.send().await.map_err(of_transport)?;
            let (status, headers) = (response.status(), response.headers().clone());
            let body = read_bounded(response, LONGEST_ANSWER).await?;
            Ok::<_, Passing>(Answer {
                status,
                headers,
                body,
            })
        };
        let late = |_| Passing::trouble(format!("no answer within {} s", deadline.as_secs_f32()));
        let answered = timeout(deadline, whole)
            .await
            .map_err(late)
            .and_then(|it| it);
        judge(&answered.map_err(Trouble::Passing)?)
    }
}

/// Tokens, or why there are none.
pub(super) fn tokens(answer: &Answer) -> Result<RefreshAnswer, Trouble> {
    if !answer.status.is_success() {
        return Err(refused(answer));
    }
    // The parser's own words could quote the token.
    let tokens = serde_json::from_slice::<Tokens>(&answer.body)
        .map_err(|_| Trouble::Passing(Passing::trouble("the answer cannot be understood")))?;
    Ok(RefreshAnswer {
        access_token: tokens.access_token,
        expires_in: Duration::from_secs(tokens.expires_in),
        refresh_token: tokens.refresh_token,
        refresh_token_expires_in: tokens.refresh_token_expires_in.map(Duration::from_secs),
        scopes: tokens.scope.split_whitespace().map(str::to_owned).collect(),
    })
}

/// What a bad status means: RFC 6749, section 5.2, and the names Google adds.
pub(super) fn refused(answer: &Answer) -> Trouble {
    let status = answer.status;
    let throttled = status == StatusCode::TOO_MANY_REQUESTS;
    if status.is_server_error() || throttled || status == StatusCode::REQUEST_TIMEOUT {
        let trouble = Passing::trouble(format!("HTTP {status}"));
        let retry_after = retry_after(&answer.headers);
        return Trouble::Passing(Passing {
            throttled,
            retry_after,
            ..trouble
        });
    }
    let Ok(bad) = serde_json::from_slice::<BadAnswer>(&answer.body) else {
        return Trouble::Final(RefreshError::Unavailable(format!("HTTP {status}")));
    };
    let text = match bad.error_description.as_str() {
        "" => shortened(&bad.error),
        description => shortened(description),
    };
    Trouble::Final(match bad.error.as_str() {
        // An organisation's policy takes the grant away from the person, not from the client.
        "invalid_grant" | "admin_policy_enforced" | "access_denied" | "invalid_token" => {
            RefreshError::InvalidGrant(text)
        }
        "invalid_client" | "unauthorized_client" | "deleted_client" | "disabled_client" => {
            RefreshError::InvalidClient(text)
        }
        "internal_failure" | "temporarily_unavailable" => {
            return Trouble::Passing(Passing::trouble(text));
        }
        _ => RefreshError::Unavailable(format!("{text} ({})", status.as_u16())),
    })
}
