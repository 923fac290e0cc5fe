//! `GET /v1/events`: the tenant's events as they happen (server-sent events), or again from `Last-Event-ID` on.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{
        IntoResponse, Response,
        sse::{Event as Line, KeepAlive, Sse},
    },
};
use futures::{StreamExt as _, future::ready};
use serde::Deserialize;
use tintype_app::AppError;
use tintype_model::RunId;
use tintype_ports::events::{Event, EventId, Seen};

use crate::{Shared, caller::Tenant, page::Asked, problem::Problem};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Query {
    /// Ids of runs, with commas between them; all that happens to the tenant when left out.
    topics: Option<String>,
}

/// Runs that one stream may be about.
const MOST_TOPICS: usize = 100;

fn topics(asked: Option<&str>) -> Result<Option<Vec<RunId>>, Problem> {
    let Some(asked) = asked else {
        return Ok(None);
    };
    let bad = |detail: &str| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "bad_query",
            "The query cannot be used",
            detail,
        )
    };
    let runs: Result<Vec<RunId>, _> = asked.split(',').map(str::parse).collect();
    match runs {
        Ok(runs) if runs.len() <= MOST_TOPICS => Ok(Some(runs)),
        Ok(_) => Err(bad("topics: name 100 runs at most")),
        Err(_) => Err(bad(
            "topics: name runs by their ids, with commas between them",
        )),
    }
}

fn last_seen(headers: &HeaderMap) -> Option<EventId> {
    let text = headers.get("last-event-id")?.to_str().ok()?;
    text.trim().parse().ok().map(EventId)
}

const fn run_of(event: &Event) -> Option<RunId> {
    match event {
        Event::RunChanged { run, .. } | Event::RunProgressed { run, .. } => Some(*run),
        Event::AccountExpiring { .. } => None,
    }
}

const fn name_of(event: &Event) -> &'static str {
    match event {
        Event::RunChanged { .. } => "run_changed",
        Event::RunProgressed { .. } => "run_progressed",
        Event::AccountExpiring { .. } => "account_expiring",
    }
}

fn line(seen: &Seen, topics: Option<&[RunId]>) -> Option<Line> {
    match seen {
        // The watcher has missed something, and reads the present state once.
        Seen::Gap => Some(Line::default().event("gap").data("{}")),
        Seen::Event(published) => {
            let run = run_of(&published.event);
            let is_wanted = |topics: &[RunId]| run.is_some_and(|run| topics.contains(&run));
            if topics.is_some_and(|topics| !is_wanted(topics)) {
                return None;
            }
            let line = Line::default()
                .id(published.id.0.to_string())
                .event(name_of(&published.event));
            line.json_data(&published.event).ok()
        }
    }
}

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Tenant(tenant): Tenant,
    Asked(query): Asked<Query>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let topics = topics(query.topics.as_deref())?;
    let seat = shared.streams.take(tenant).ok_or_else(Problem::no_seat)?;
    let events = &shared.app.ports().events;
    let seen = events.watch(tenant, last_seen(&headers)).await;
    let seen = seen.map_err(AppError::from)?;
    let lines = seen
        .filter_map(move |seen| {
            // The seat is given back when the stream is dropped.
            let _held = &seat;
            ready(line(&seen, topics.as_deref()).map(Ok::<_, Infallible>))
        })
        .take_until(shared.draining.clone().cancelled_owned())
        .take_until(tokio::time::sleep(shared.limits.stream_age));
    let heartbeat = KeepAlive::new().interval(shared.limits.heartbeat);
    Ok(Sse::new(lines).keep_alive(heartbeat).into_response())
}
