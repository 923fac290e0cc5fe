//! One attempt after another: asks the gate, sends, reports how it went, and waits or gives up.

use std::sync::Arc;

use reqwest::{Client, RequestBuilder, Response, header::CONTENT_LENGTH};
use secrecy::ExposeSecret;
use tintype_model::quota::QuotaKind;
use tintype_ports::{
    clock::Entropy,
    photos::{Attempt, AttemptOutcome, CallGate, PhotoError},
};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    call,
    failure::{self, About, Failure, Passing},
    patience::Patience,
    settings::GoogleSettings,
};

/// Longest answer of the Library API that is read, in bytes. A page of 100 items has about 150 KiB.
const LONGEST_ANSWER: usize = 8 * 1024 * 1024;

/// Reads an answer's body; an error says what is wrong with it.
pub(crate) type Parse<T> = fn(&[u8]) -> Result<T, serde_json::Error>;

/// What every call of one account shares.
pub(crate) struct Caller {
    pub(crate) client: Client,
    pub(crate) settings: Arc<GoogleSettings>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) gate: Arc<dyn CallGate>,
}

impl Caller {
    /// A call of the Library API, repeated as patience allows. A refused access token is replaced once.
    pub(crate) async fn library<T: Send>(
        &self,
        about: About,
        request: impl Fn(&Client) -> RequestBuilder + Send + Sync,
        parse: Parse<T>,
    ) -> Result<T, PhotoError> {
        let mut patience = Patience::default();
        let mut rejected = None;
        loop {
            self.gate
                .admit(QuotaKind::Request)
                .await
                .map_err(failure::of_quota)?;
            let token = self
                .gate
                .access_token(rejected.as_ref())
                .await
                .map_err(failure::of_vault)?;
            let request = request(&self.client).bearer_auth(token.secret.expose_secret());
            match self.one_library_attempt(about, request, parse).await {
                Ok(answer) => return Ok(answer),
                Err(Failure::Token(_)) if rejected.is_none() => rejected = Some(token),
                Err(failure) => {
                    self.settle(failure, QuotaKind::Request, &mut patience)
                        .await?;
                }
            }
        }
    }

    async fn one_library_attempt<T>(
        &self,
        about: About,
        request: RequestBuilder,
        parse: Parse<T>,
    ) -> Result<T, Failure> {
        let deadline = self.settings.deadlines.call;
        let started = Instant::now();
        let mut head_at = None;
        let span = call::span(call::LIBRARY);
        let whole = async {
            let response = request.send().await.map_err(failure::of_send);
            head_at = Some(Instant::now());
            let response = response?;
            call::answered(&span, response.status());
            judge(response, about, parse).await
        };
        let result = timeout(deadline, whole).await.unwrap_or_else(|_| {
            let text = format!("no whole answer within {} s", deadline.as_secs_f32());
            Err(Failure::Passing(Passing::trouble(text)))
        });
        call::ended(&span, result.as_ref().err());
        self.observe(QuotaKind::Request, started, head_at, result.as_ref().err());
        result
    }

    /// Reports an attempt to whoever adapts concurrency. `answered_at` is the end of what counts as its duration: now, unless
    /// it was earlier.
    pub(crate) fn observe(
        &self,
        kind: QuotaKind,
        started: Instant,
        answered_at: Option<Instant>,
        failure: Option<&Failure>,
    ) {
        let outcome = match failure {
            Some(Failure::Passing(passing)) if passing.throttled => AttemptOutcome::Throttled,
            Some(Failure::Passing(_)) => AttemptOutcome::Failed,
            _ => AttemptOutcome::Answered,
        };
        let latency = answered_at.unwrap_or_else(Instant::now) - started;
        self.gate.observe(Attempt {
            kind,
            latency,
            outcome,
        });
    }

    /// Waits until the next attempt is due.
    ///
    /// # Errors
    /// When there is to be none.
    pub(crate) async fn settle(
        &self,
        failure: Failure,
        kind: QuotaKind,
        patience: &mut Patience,
    ) -> Result<(), PhotoError> {
        let passing = match failure {
            Failure::Passing(passing) => passing,
            Failure::Final(error) => return Err(error),
            Failure::Token(text) => return Err(PhotoError::AuthLost(text)),
            Failure::DayOver => {
                let resumes_at = self.gate.exhausted(kind).await.map_err(failure::of_quota)?;
                return Err(PhotoError::QuotaExhausted { resumes_at });
            }
        };
        let due = patience.wait_after(&passing, &self.settings.retry, self.entropy.as_ref());
        let Some(wait) = due else {
            return Err(passing.give_up());
        };
        tracing::debug!(
            call.kind = kind.as_str(),
            call.trouble = %passing.text,
            wait.ms = wait.as_secs_f64() * 1000.0,
            "google is asked again"
        );
        sleep(wait).await;
        Ok(())
    }
}

async fn judge<T>(response: Response, about: About, parse: Parse<T>) -> Result<T, Failure> {
    let status = response.status();
    let headers = response.headers().clone();
    let body = read_bounded(response, LONGEST_ANSWER)
        .await
        .map_err(Failure::Passing)?;
    if !status.is_success() {
        return Err(failure::of_library(status, &headers, &body, about));
    }
    parse(&body).map_err(|error| {
        let text = format!("the answer cannot be understood: {error}");
        Failure::Passing(Passing::trouble(text))
    })
}

/// A whole body of at most `limit` bytes.
pub(crate) async fn read_bounded(mut response: Response, limit: usize) -> Result<Vec<u8>, Passing> {
    let promised = response.headers().get(CONTENT_LENGTH);
    let promised = promised
        .and_then(|it| it.to_str().ok()?.parse().ok())
        .unwrap_or(0);
    let mut body = Vec::with_capacity(limit.min(promised));
    while let Some(chunk) = response.chunk().await.map_err(failure::of_transport)? {
        if body.len() + chunk.len() > limit {
            return Err(Passing::trouble(format!(
                "the answer is longer than {limit} bytes"
            )));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
