//! The refresh grant: a refresh token for an access token.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::{StatusCode, header::HeaderMap};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tintype_ports::google_auth::{GoogleAuth, RefreshAnswer, RefreshError};
use tokio::time::{sleep, timeout};

use super::GoogleOAuth;
use crate::{
    attempt::read_bounded,
    failure::{Passing, of_transport, retry_after, shortened},
    patience::Patience,
};

/// Longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024;

#[derive(Deserialize)]
struct GoodAnswer {
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

/// Why one attempt failed.
enum Trouble {
    Passing(Passing),
    Final(RefreshError),
}

#[async_trait]
impl GoogleAuth for GoogleOAuth {
    async fn refresh(
        &self,
        client_id: &str,
        client_secret: &SecretString,
        refresh_token: &SecretString,
    ) -> Result<RefreshAnswer, RefreshError> {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", client_id),
            ("client_secret", client_secret.expose_secret()),
            ("refresh_token", refresh_token.expose_secret()),
        ];
        let mut patience = Patience::default();
        loop {
            let passing = match self.one_attempt(&form).await {
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
}

impl GoogleOAuth {
    async fn one_attempt(&self, form: &[(&str, &str)]) -> Result<RefreshAnswer, Trouble> {
        let deadline = self.settings.deadlines.call;
        let whole = async {
            let request = self
                .client
                .post(self.settings.endpoints.token.clone())
                .form(form);
            let response = request.send().await.map_err(of_transport)?;
            let (status, headers) = (response.status(), response.headers().clone());
            let body = read_bounded(response, LONGEST_ANSWER).await?;
            Ok::<_, Passing>((status, headers, body))
        };
        let late = |_| Passing::trouble(format!("no answer within {} s", deadline.as_secs_f32()));
        let answered = timeout(deadline, whole)
            .await
            .map_err(late)
            .and_then(|it| it);
        let (status, headers, body) = answered.map_err(Trouble::Passing)?;
        if status.is_success() {
            return accept(&body);
        }
        Err(refused(status, &headers, &body))
    }
}

fn accept(body: &[u8]) -> Result<RefreshAnswer, Trouble> {
    // The parser's own words could quote the token.
    let answer = serde_json::from_slice::<GoodAnswer>(body)
        .map_err(|_| Trouble::Passing(Passing::trouble("the answer cannot be understood")))?;
    Ok(RefreshAnswer {
        access_token: answer.access_token,
        expires_in: Duration::from_secs(answer.expires_in),
        refresh_token: answer.refresh_token,
        refresh_token_expires_in: answer.refresh_token_expires_in.map(Duration::from_secs),
        scopes: answer.scope.split_whitespace().map(str::to_owned).collect(),
    })
}

/// What a bad status means: RFC 6749, section 5.2, and the names Google adds.
fn refused(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Trouble {
    let throttled = status == StatusCode::TOO_MANY_REQUESTS;
    if status.is_server_error() || throttled || status == StatusCode::REQUEST_TIMEOUT {
        let trouble = Passing::trouble(format!("HTTP {status}"));
        let retry_after = retry_after(headers);
        return Trouble::Passing(Passing {
            throttled,
            retry_after,
            ..trouble
        });
    }
    let Ok(answer) = serde_json::from_slice::<BadAnswer>(body) else {
        return Trouble::Final(RefreshError::Unavailable(format!("HTTP {status}")));
    };
    let text = match answer.error_description.as_str() {
        "" => shortened(&answer.error),
        description => shortened(description),
    };
    Trouble::Final(match answer.error.as_str() {
        // An organisation's policy takes the grant away from the person, not from the client.
        "invalid_grant" | "admin_policy_enforced" | "access_denied" => {
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
