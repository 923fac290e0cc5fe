//! One call of the engine's API: deadlines, a few tries, and what its refusals mean.

use std::time::Duration;

use reqwest::{Method, Response, StatusCode, header};
use secrecy::zeroize::Zeroizing;
use serde::{Deserialize, de::DeserializeOwned};
use tokio::time::Instant;
use url::Url;

use super::{KeeperError, Transit};

/// Tries of one call.
const TRIES: u32 = 3;

/// The pause before the second try, which doubles; ± 50 %.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// An answer is a few hundred bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// A token is a few hundred bytes at most.
const MAX_TOKEN: usize = 16 * 1024;

#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize, Default)]
struct Refusal {
    #[serde(default)]
    errors: Vec<String>,
}

/// Why a try failed.
enum Failure {
    /// Another try may help.
    Passing(String),
    /// It does not.
    Final(KeeperError),
}

impl Transit {
    /// Calls `{mount}/{verb}/{key}` and returns the answer's data.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        verb: &str,
        body: Option<&Zeroizing<String>>,
    ) -> Result<T, KeeperError> {
        let deadline = Instant::now() + self.settings.call_timeout;
        let turn = tokio::time::timeout_at(deadline, self.calls.acquire()).await;
        let _turn = turn.map_err(|_| KeeperError::Away(self.slow()))?;
        let mut pause = FIRST_PAUSE;
        let mut last = self.slow();
        for number in 1..=TRIES {
            let done = tokio::time::timeout_at(deadline, self.once(&method, verb, body)).await;
            match done {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(Failure::Final(error))) => return Err(error),
                Ok(Err(Failure::Passing(why))) => last = why,
                Err(_) => break,
            }
            if number < TRIES {
                tokio::time::sleep(pause.mul_f64(0.5 + self.entropy.unit())).await;
                pause *= 2;
            }
        }
        Err(KeeperError::Away(last))
    }

    async fn once<T: DeserializeOwned>(
        &self,
        method: &Method,
        verb: &str,
        body: Option<&Zeroizing<String>>,
    ) -> Result<T, Failure> {
        let mut request = self
            .client
            .request(method.clone(), self.url(verb))
            .timeout(self.settings.try_timeout)
            .header("X-Vault-Token", self.token().await?);
        if let Some(namespace) = &self.settings.namespace {
            request = request.header("X-Vault-Namespace", namespace);
        }
        if let Some(body) = body {
            request = request
                .header(header::CONTENT_TYPE, "application/json")
                .body(body.as_bytes().to_vec());
        }
        let answer = request.send().await.map_err(|error| {
            Failure::Passing(format!(
                "the key service at {} does not answer: {}",
                self.host(),
                deepest(&error.without_url())
            ))
        })?;
        let status = answer.status();
        let bytes = read(answer).await?;
        if !status.is_success() {
            let refusal: Refusal = serde_json::from_slice(&bytes).unwrap_or_default();
            return Err(self.refused(status, &refusal.errors.join("; ")));
        }
        let answer: Answer<T> = serde_json::from_slice(&bytes).map_err(|_| {
            Failure::Final(KeeperError::Away(format!(
                "the key service at {} gives an answer that is not Transit's",
                self.host()
            )))
        })?;
        Ok(answer.data)
    }

    fn refused(&self, status: StatusCode, text: &str) -> Failure {
        let host = self.host();
        let away = |text: String| Failure::Final(KeeperError::Away(text));
        match status {
            // What it says of a ciphertext that does not open, or is not one.
            StatusCode::BAD_REQUEST if !is_about_the_key(text) => {
                Failure::Final(KeeperError::Wrong)
            }
            StatusCode::BAD_REQUEST => away(format!("the key service at {host} refuses: {text}")),
            StatusCode::FORBIDDEN => away(format!(
                "the key service at {host} refuses the token in {}; renew it, and check that its policy allows \
                 encrypt, decrypt and reading the key",
                self.settings.token_file.display()
            )),
            StatusCode::NOT_FOUND => away(format!(
                "the key service at {host} has no key {} at {}; make it first",
                self.settings.key, self.settings.mount
            )),
            StatusCode::SERVICE_UNAVAILABLE => Failure::Passing(format!(
                "the key service at {host} is sealed or not ready: {text}"
            )),
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Failure::Passing(format!(
                    "the key service at {host} answers {status}: {text}"
                ))
            }
            status => away(format!(
                "the key service at {host} answers {status}: {text}"
            )),
        }
    }

    async fn token(&self) -> Result<header::HeaderValue, Failure> {
        let path = &self.settings.token_file;
        let named = |what: String| {
            let text = format!("the key service's token file {} {what}", path.display());
            Failure::Final(KeeperError::Away(text))
        };
        let bytes = tokio::fs::read(path).await.map(Zeroizing::new);
        let bytes = bytes.map_err(|error| named(format!("cannot be read: {error}")))?;
        let token = bytes.trim_ascii();
        if token.is_empty() || token.len() > MAX_TOKEN {
            return Err(named("holds no token".to_owned()));
        }
        let mut value = header::HeaderValue::from_bytes(token)
            .map_err(|_| named("holds no token".to_owned()))?;
        value.set_sensitive(true);
        Ok(value)
    }

    fn url(&self, verb: &str) -> Url {
        let mut url = self.settings.address.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            let mount = self
                .settings
                .mount
                .split('/')
                .filter(|part| !part.is_empty());
            path.pop_if_empty()
                .push("v1")
                .extend(mount)
                .extend([verb, &self.settings.key]);
        }
        url
    }

    /// The service as errors name it: a URL may carry a password.
    fn host(&self) -> &str {
        self.settings.address.host_str().unwrap_or("")
    }

    fn slow(&self) -> String {
        format!(
            "the key service at {} did not answer within {} s",
            self.host(),
            self.settings.call_timeout.as_secs_f32()
        )
    }
}

/// Whether a refusal speaks of the key rather than of the ciphertext.
fn is_about_the_key(text: &str) -> bool {
    [
        "not found",
        "disallowed",
        "too new",
        "unsupported",
        "not supported",
    ]
    .iter()
    .any(|phrase| text.contains(phrase))
}

async fn read(mut answer: Response) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let broken = |error: reqwest::Error| {
        Failure::Passing(format!(
            "the key service's answer broke off: {}",
            deepest(&error.without_url())
        ))
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(1024));
    while let Some(chunk) = answer.chunk().await.map_err(broken)? {
        if bytes.len() + chunk.len() > MAX_ANSWER {
            let text = "the key service's answer is too long to be Transit's".to_owned();
            return Err(Failure::Final(KeeperError::Away(text)));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// What is at the bottom of an error: "connection refused" rather than "error sending request".
fn deepest(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
