//! One call: its deadline, its trace, and when it is tried again.

use std::{error::Error as _, future::Future, sync::Arc, time::Duration};

use tintype_ports::{Entropy, VaultError, trace::TraceLink};
use tokio::time::{Instant, sleep, timeout_at};
use tonic::{Code, ConnectError, Request, Response, Status, transport::Channel};
use tracing::{Instrument as _, field::Empty};

use crate::{
    Surroundings, VaultClientSettings,
    errors::{unreachable, vault_error},
    replicas::Replicas,
};

/// The header that W3C Trace Context names.
const TRACE_HEADER: &str = "traceparent";
/// No pause between tries is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Whether a call may reach the vault twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It changes nothing that a second time would change again.
    Freely,
    /// Only when the first try did not leave this machine.
    Unsent,
}

pub(crate) struct Caller {
    replicas: Arc<Replicas>,
    entropy: Arc<dyn Entropy>,
    traces: Arc<dyn TraceLink>,
    deadline: Duration,
    attempts: u32,
    first_pause: Duration,
}

impl Caller {
    pub(crate) fn new(
        settings: &VaultClientSettings,
        replicas: Arc<Replicas>,
        around: &Surroundings,
    ) -> Self {
        Self {
            replicas,
            entropy: Arc::clone(&around.entropy),
            traces: Arc::clone(&around.traces),
            deadline: settings.deadline,
            attempts: settings.attempts.max(1),
            first_pause: settings.first_pause,
        }
    }

    /// `make` makes the message anew for each try.
    pub(crate) async fn call<Q, A, F>(
        &self,
        repeat: Repeat,
        make: impl Fn() -> Result<Q, VaultError>,
        send: impl Fn(Channel, Request<Q>) -> F,
    ) -> Result<A, VaultError>
    where
        F: Future<Output = Result<Response<A>, Status>>,
    {
        let deadline = Instant::now() + self.deadline;
        let mut pause = self.first_pause;
        let mut attempt = 1;
        loop {
            let span = tracing::debug_span!(
                "vault.try",
                otel.kind = "client",
                rpc.system = "grpc",
                otel.status_code = Empty,
            );
            let tried = self.try_once(deadline, make()?, &send);
            let tried = tried.instrument(span.clone()).await;
            if tried.is_err() {
                span.record("otel.status_code", "ERROR");
            }
            drop(span);
            let failure = match tried {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let again = failure.unsent || (repeat == Repeat::Freely && failure.passing);
            let jittered = pause.mul_f64(0.5 + self.entropy.unit());
            if !again || attempt == self.attempts || Instant::now() + jittered >= deadline {
                return Err(failure.error);
            }
            tracing::debug!(attempt, error = %failure.error, "asking the vault again");
            sleep(jittered).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            attempt += 1;
        }
    }

    async fn try_once<Q, A, F>(
        &self,
        deadline: Instant,
        message: Q,
        send: &impl Fn(Channel, Request<Q>) -> F,
    ) -> Result<A, Failure>
    where
        F: Future<Output = Result<Response<A>, Status>>,
    {
        let taken = match timeout_at(deadline, self.replicas.take()).await {
            Ok(Ok(taken)) => taken,
            Ok(Err(trouble)) => return Err(Failure::unsent(&trouble)),
            Err(_) => return Err(Failure::unsent("its name cannot be looked up in time")),
        };
        let mut request = Request::new(message);
        // The vault gives up with us.
        request.set_timeout(deadline.saturating_duration_since(Instant::now()));
        if let Some(parent) = self.traces.current()
            && let Ok(value) = parent.as_str().parse()
        {
            request.metadata_mut().insert(TRACE_HEADER, value);
        }
        match timeout_at(deadline, send(taken.channel(), request)).await {
            Ok(Ok(answer)) => {
                taken.answered();
                Ok(answer.into_inner())
            }
            Ok(Err(status)) => {
                let failure = Failure::of(status);
                if failure.unsent || failure.passing {
                    taken.failed();
                } else {
                    taken.answered();
                }
                Err(failure)
            }
            Err(_) => {
                taken.failed();
                let seconds = self.deadline.as_secs_f32();
                Err(Failure {
                    error: unreachable(&format!("no answer within {seconds} s")),
                    unsent: false,
                    passing: false,
                })
            }
        }
    }
}

struct Failure {
    error: VaultError,
    /// Nothing of it left this machine.
    unsent: bool,
    /// It may go well in a moment.
    passing: bool,
}

impl Failure {
    fn unsent(trouble: &str) -> Self {
        Self {
            error: unreachable(trouble),
            unsent: true,
            passing: true,
        }
    }

    fn of(status: Status) -> Self {
        let unsent = is_unsent(&status);
        let is_word = tintype_proto::refusal::of_status(&status).is_some();
        let is_late = status.code() == Code::DeadlineExceeded;
        // A status with a source was made here, when the connection broke.
        let broken = status.source().is_some();
        let passing = !is_word
            && !is_late
            && (broken || matches!(status.code(), Code::Unavailable | Code::ResourceExhausted));
        Self {
            error: vault_error(&status),
            unsent,
            passing,
        }
    }
}

fn is_unsent(status: &Status) -> bool {
    let mut source = status.source();
    while let Some(error) = source {
        if error.is::<ConnectError>() {
            return true;
        }
        source = error.source();
    }
    false
}
