//! One attempt after another: asks the gate, sends, reports how it went, and waits or gives up.

use std::{sync::Arc, time::Duration};

use reqwest::{
    Client, RequestBuilder, Response,
    header::{CONTENT_LENGTH, HeaderMap},
};
use secrecy::ExposeSecret;
use tintype_model::quota::QuotaKind;
use tintype_ports::{
    clock::Entropy,
    photos::{Attempt, AttemptOutcome, CallGate, PhotoError, Traffic},
    vault::AccessToken,
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
    /// Base URLs open nothing by themselves: bytes are asked for with the access token.
    pub(crate) signs_downloads: bool,
}

/// How a call of the Library API is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) about: About,
    pub(crate) traffic: Traffic,
    /// For one attempt, answer included.
    pub(crate) deadline: Duration,
    /// Whether it is made again after an attempt that may have done its work.
    pub(crate) again_in_doubt: bool,
}

/// A whole answer with a good status.
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// How a call has gone so far, over all its attempts.
#[derive(Debug, Default)]
pub(crate) struct Course {
    pub(crate) patience: Patience,
    /// An attempt ended without a clear answer: what was asked for may have been done.
    pub(crate) in_doubt: bool,
}

impl Caller {
    /// A call with a short answer in JSON, repeated as patience allows.
    pub(crate) async fn library<T: Send>(
        &self,
        about: About,
        request: impl Fn(&Client) -> RequestBuilder + Send + Sync,
        parse: Parse<T>,
    ) -> Result<T, PhotoError> {
        let read = |answer: &Answer| parse(&answer.body).map_err(failure::unreadable);
        let mut course = Course::default();
        self.ask(self.short(about), request, read, &mut course)
            .await
    }

    /// How a call with a short answer is made.
    pub(crate) fn short(&self, about: About) -> Manner {
        Manner {
            about,
            traffic: Traffic::Call,
            deadline: self.settings.deadlines.call,
            again_in_doubt: true,
        }
    }

    /// How bytes are sent in one piece.
    pub(crate) fn sending(&self, length: usize) -> Manner {
        Manner {
            traffic: Traffic::Upload,
            deadline: self.settings.deadlines.upload(length),
            ..self.short(About::default())
        }
    }

    /// A call of the Library API, repeated as its manner and patience allow. `course` goes on from what it was before.
    pub(crate) async fn ask<T: Send>(
        &self,
        manner: Manner,
        request: impl Fn(&Client) -> RequestBuilder + Send + Sync,
        read: impl Fn(&Answer) -> Result<T, Failure> + Send + Sync,
        course: &mut Course,
    ) -> Result<T, PhotoError> {
        loop {
            let failure = match self.ask_once(manner, &request, &read).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            if let Failure::Passing(passing) = &failure
                && passing.unclear
            {
                course.in_doubt = true;
                if !manner.again_in_doubt {
                    return Err(passing.clone().give_up());
                }
            }
            self.settle(failure, QuotaKind::Request, &mut course.patience)
                .await?;
        }
    }

    /// One attempt, and another where Google refuses the access token of the first.
    pub(crate) async fn ask_once<T: Send>(
        &self,
        manner: Manner,
        request: &(impl Fn(&Client) -> RequestBuilder + Send + Sync),
        read: &(impl Fn(&Answer) -> Result<T, Failure> + Send + Sync),
    ) -> Result<T, Failure> {
        let mut rejected = None;
        loop {
            let token = self.admitted(rejected.as_ref()).await?;
            let request = request(&self.client).bearer_auth(token.secret.expose_secret());
            match self.one_attempt(manner, request, read).await {
                Err(Failure::Token(_)) if rejected.is_none() => rejected = Some(token),
                outcome => return outcome,
            }
        }
    }

    /// Waits for permission to make one request, and gets an access token for it.
    pub(crate) async fn admitted(
        &self,
        rejected: Option<&AccessToken>,
    ) -> Result<AccessToken, Failure> {
        let admitted = self.gate.admit(QuotaKind::Request).await;
        admitted.map_err(|error| Failure::Final(failure::of_quota(error)))?;
        let token = self.gate.access_token(rejected).await;
        token.map_err(|error| Failure::Final(failure::of_vault(error)))
    }

    /// A request for an item's bytes, with the access token where that is needed. One that has died meanwhile shows as a base URL
    /// that has, and a new one of these comes with a new token.
    pub(crate) async fn for_bytes(
        &self,
        request: RequestBuilder,
    ) -> Result<RequestBuilder, Failure> {
        if !self.signs_downloads {
            return Ok(request);
        }
        let token = self.gate.access_token(None).await;
        let token = token.map_err(|error| Failure::Final(failure::of_vault(error)))?;
        Ok(request.bearer_auth(token.secret.expose_secret()))
    }

    async fn one_attempt<T>(
        &self,
        manner: Manner,
        request: RequestBuilder,
        read: &(impl Fn(&Answer) -> Result<T, Failure> + Send + Sync),
    ) -> Result<T, Failure> {
        let started = Instant::now();
        let mut head_at = None;
        let span = call::span(match manner.traffic {
            Traffic::Upload => call::UPLOAD,
            Traffic::Call | Traffic::Download => call::LIBRARY,
        });
        let whole = async {
            let response = request.send().await.map_err(failure::of_send);
            head_at = Some(Instant::now());
            let response = response?;
            call::answered(&span, response.status());
            read(&judge(response, manner.about).await?)
        };
        let result = timeout(manner.deadline, whole).await.unwrap_or_else(|_| {
            let text = format!("no whole answer within {} s", manner.deadline.as_secs_f32());
            Err(Failure::Passing(Passing::trouble(text)))
        });
        call::ended(&span, result.as_ref().err());
        self.observe(manner.traffic, started, head_at, result.as_ref().err());
        result
    }

    /// Reports an attempt to whoever adapts concurrency. `answered_at` is the end of what counts as its duration: now, unless
    /// it was earlier.
    pub(crate) fn observe(
        &self,
        traffic: Traffic,
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
            traffic,
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

/// A whole answer, unless its status says what is wrong.
pub(crate) async fn judge(response: Response, about: About) -> Result<Answer, Failure> {
    let status = response.status();
    let headers = response.headers().clone();
    let body = read_bounded(response, LONGEST_ANSWER)
        .await
        .map_err(Failure::Passing)?;
    if !status.is_success() {
        return Err(failure::of_library(status, &headers, &body, about));
    }
    Ok(Answer { headers, body })
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
