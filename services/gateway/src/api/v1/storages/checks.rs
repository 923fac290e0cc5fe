//! What a test of an account answers: everything at its end, or, to `Accept: text/event-stream`, each line as it becomes known.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Json,
    http::{HeaderMap, header},
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::StreamExt as _;
use serde::Serialize;
use tintype_app::{
    AppResult,
    setup::{Check, CheckResult, Tested},
};
use tintype_model::TenantId;
use tokio::sync::mpsc;

use crate::{Shared, problem::Problem};

/// More lines than a test has.
const ROOM: usize = 32;

#[derive(Debug, Serialize)]
struct Outcome {
    checks: Vec<Line>,
    #[serde(flatten)]
    end: End,
}

#[derive(Debug, Serialize)]
struct End {
    passed: bool,
    /// Calls that Google counted.
    requests: u64,
}

impl From<Tested> for End {
    fn from(it: Tested) -> Self {
        Self {
            passed: it.passed,
            requests: it.requests,
        }
    }
}

#[derive(Debug, Serialize)]
struct Line {
    name: &'static str,
    result: &'static str,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'static str>,
}

impl From<Check> for Line {
    fn from(check: Check) -> Self {
        let (result, detail, code, action) = match check.result {
            CheckResult::Passed(evidence) => ("passed", evidence, None, None),
            CheckResult::Skipped(why) => ("skipped", why, None, None),
            CheckResult::Failed {
                kind,
                cause,
                action,
            } => ("failed", cause, Some(kind.code()), Some(action)),
        };
        Self {
            name: check.name.title(),
            result,
            detail,
            code,
            action,
        }
    }
}

/// Where a test's lines go.
pub(super) struct Lines(mpsc::Sender<Line>);

impl Lines {
    pub(super) fn tell(&self, check: Check) {
        // Nobody may be listening any more; the test goes on to its end, which is near.
        let _ = self.0.try_send(check.into());
    }
}

/// Runs the test and answers in the way that was asked for.
pub(super) async fn answer<T>(
    shared: &Arc<Shared>,
    tenant: TenantId,
    headers: &HeaderMap,
    test: impl FnOnce(Lines) -> T,
) -> Result<Response, Problem>
where
    T: Future<Output = AppResult<Tested>> + Send + 'static,
{
    let (lines, mut told) = mpsc::channel(ROOM);
    let test = test(Lines(lines));
    if !wants_events(headers) {
        let tested = test.await?;
        let mut checks = Vec::with_capacity(ROOM);
        while let Ok(line) = told.try_recv() {
            checks.push(line);
        }
        let end = tested.into();
        return Ok(Json(Outcome { checks, end }).into_response());
    }
    let seat = shared.streams.take(tenant).ok_or_else(Problem::no_seat)?;
    let tested = tokio::spawn(test);
    let end = async move {
        // Given back when the last line is out, or the caller is gone.
        let _held = seat;
        match tested.await {
            Ok(Ok(tested)) => event("done", &End::from(tested)),
            Ok(Err(error)) => event("error", &Problem::from(error)),
            Err(_) => event("error", &Problem::defect()),
        }
    };
    let lines = futures::stream::poll_fn(move |context| told.poll_recv(context));
    let lines = lines.map(|line| event("check", &line));
    let events = lines
        .chain(futures::stream::once(end))
        .map(Ok::<_, Infallible>);
    let heartbeat = KeepAlive::new().interval(shared.limits.heartbeat);
    Ok(Sse::new(events).keep_alive(heartbeat).into_response())
}

fn event<T: Serialize>(name: &str, data: &T) -> Event {
    let named = Event::default().event(name);
    // What is serialized here always has a JSON form.
    named
        .json_data(data)
        .unwrap_or_else(|_| Event::default().event("error").data("{}"))
}

fn wants_events(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter();
    accepted
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(','))
        .any(|it| it.trim().starts_with("text/event-stream"))
}
