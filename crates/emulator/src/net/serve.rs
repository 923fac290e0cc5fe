//! The way of one call: route, faults, token, write lock, latency, quota, handler, ledger.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;

use super::call::{Call, Dropped, Link, Reply};
use super::route::{Route, classify};
use crate::api::error::ApiError;
use crate::api::{self, Context};
use crate::control;
use crate::faults::{Effect, Subject};
use crate::kind::{CallKind, Cost};
use crate::ledger::Entry;
use crate::oauth;
use crate::serving::body::Body;
use crate::serving::originals::{self, Seat};
use crate::serving::{base_url, download};
use crate::state::World;
use crate::state::ids::Key;
use crate::state::quota::Exhausted;
use crate::switches::Switches;
use crate::sync::{lock, read};

/// A reply with what the ledger wants to know of it.
struct Outcome {
    reply: Reply,
    account: Option<u16>,
    client: Option<u16>,
    range_start: Option<u64>,
}

impl From<Reply> for Outcome {
    fn from(reply: Reply) -> Self {
        Self {
            reply,
            account: None,
            client: None,
            range_start: None,
        }
    }
}

/// Answers a request, or drops the connection.
pub(crate) async fn serve(
    world: Arc<World>,
    link: Link,
    request: Request<Incoming>,
) -> Result<Response<Body>, Dropped> {
    let (head, body) = request.into_parts();
    let mut call = Call { head, body, link };
    let route = classify(&call);
    if route == Route::Control {
        return Ok(respond(control::http::handle(&world, &mut call).await?));
    }
    let kind = route.kind();
    let switches = world.switches();
    let item = item_of(&route, world.seed);
    let id = item.map(|key| key.id(world.seed));
    let about = id.as_deref().zip(item.map(|key| key.0));
    let seen_by = item.filter(|_| world.faults.are_there());
    let project = seen_by.and_then(|key| project_of(&world, key));
    let effect = world.faults.hit(&Subject {
        kind,
        item: about,
        project: project.as_deref(),
        file_name: None,
    });

    let seat = match route {
        Route::Original { .. } => originals::seat(&world, &switches),
        _ => Seat::Needless,
    };
    if effect == Some(Effect::Hang) {
        record(&world, kind, item, 0, &None, 0);
        return std::future::pending().await;
    }
    let outcome = match act(&world, &switches, &mut call, &route, item, effect.as_ref()).await {
        Ok(outcome) => outcome,
        Err(dropped) => {
            record(&world, kind, item, 0, &None, 0);
            return Err(dropped);
        }
    };
    if effect == Some(Effect::DropAfter) {
        record(&world, kind, item, 0, &Some(&outcome), 0);
        return Err(Dropped);
    }
    let mut outcome = outcome;
    outcome.reply = spoil(outcome.reply, effect.as_ref());
    match seat {
        Seat::Needless => {}
        Seat::Got(seat) => outcome.reply.body = outcome.reply.body.seated(seat),
        Seat::Taken => outcome = originals::busy().into(),
    }
    let is_bytes = matches!(kind.cost(), Cost::BaseUrl) || kind == CallKind::Original;
    if is_bytes {
        outcome.reply.body = outcome.reply.body.paced(switches.bandwidth);
    }
    let (status, len) = (outcome.reply.status, outcome.reply.body.len());
    let number = record(&world, kind, item, status, &Some(&outcome), len);
    if is_bytes {
        outcome.reply.body = outcome
            .reply
            .body
            .reporting(Arc::clone(&world.ledger), number);
    }
    Ok(respond(outcome.reply))
}

fn project_of(world: &World, item: Key) -> Option<String> {
    let owner = read(&world.shelf).owner(item)?;
    Some(read(&world.people).project(owner.client).to_owned())
}

fn item_of(route: &Route, seed: u64) -> Option<Key> {
    match route {
        Route::Bytes { word, .. } => base_url::parse(word, seed).map(|ticket| ticket.key),
        Route::Original { id } => Key::parse(id, seed),
        Route::Api {
            kind: CallKind::GetItem | CallKind::PatchItem,
            id,
        } => Key::parse(id, seed),
        _ => None,
    }
}

async fn act(
    world: &Arc<World>,
    switches: &Switches,
    call: &mut Call,
    route: &Route,
    item: Option<Key>,
    effect: Option<&Effect>,
) -> Result<Outcome, Dropped> {
    let kind = route.kind();
    if effect == Some(&Effect::DropBefore) {
        return Err(Dropped);
    }
    match route {
        Route::Control | Route::Nowhere => {
            Ok(ApiError::not_found("Requested entity was not found.")
                .reply()
                .into())
        }
        Route::Picking { id } => {
            const LONGEST_FORM: usize = 4 * 1024;
            let form = call.text(LONGEST_FORM).await?;
            let form = String::from_utf8_lossy(&form);
            Ok(api::picker::page(world, call, id, &form).into())
        }
        Route::ProxyPage => Ok(originals::page().into()),
        Route::Identity(_) => {
            pause(switches, kind, effect).await;
            if let Some(Effect::Status { code, .. }) = effect {
                let body = r#"{"error":"internal_failure","error_description":"Backend Error"}"#;
                return Ok(Reply::json(*code, body).into());
            }
            let (reply, who) = oauth::handle(world, switches, call, kind).await?;
            let (account, client) = who.unzip();
            Ok(Outcome {
                reply,
                account,
                client,
                range_start: None,
            })
        }
        Route::Original { .. } => {
            pause(switches, kind, effect).await;
            if let Some(Effect::Status { code, .. }) = effect {
                return Ok(Reply::text(*code, "").into());
            }
            let item = match effect {
                Some(Effect::OtherItem { id }) => Key::parse(id, world.seed),
                _ => item,
            };
            let loaded = originals::original(world, switches, call, item).await;
            Ok(Outcome {
                range_start: loaded.range_start,
                ..loaded.reply.into()
            })
        }
        Route::Bytes { word, suffix, .. } => {
            pause(switches, kind, effect).await;
            let Some(ticket) = base_url::parse(word, world.seed) else {
                return Ok(download::missing().into());
            };
            let owner = read(&world.shelf).owner(ticket.key);
            let (account, client) = owner.map(|owner| (owner.account, owner.client)).unzip();
            let project = project_of(world, ticket.key).filter(|_| !ticket.picked);
            if ticket.picked && !may_load_picked(world, switches, call, account) {
                return Ok(download::forbidden().into());
            }
            let refused = refusal(effect).map_or_else(
                || {
                    take_quota(world, switches, project.as_deref(), kind)
                        .err()
                        .map(|_| 429)
                },
                Some,
            );
            let loaded = match refused {
                Some(status) => retry_after(download::error(status), effect).into(),
                None => download::load(world, switches, call, kind, (ticket, *suffix)).await,
            };
            Ok(Outcome {
                reply: loaded.reply,
                account,
                client,
                range_start: loaded.range_start,
            })
        }
        Route::Api { id, .. } => api_call(world, switches, call, (kind, id), effect).await,
    }
}

/// What was picked is given to its person, not to whoever has the URL.
fn may_load_picked(world: &World, switches: &Switches, call: &Call, owner: Option<u16>) -> bool {
    let now_ms = world.clock.now_ms();
    let caller = api::authenticate(world, switches, call, CallKind::PickerList, now_ms);
    caller.is_ok_and(|caller| Some(caller.account) == owner)
}

async fn api_call(
    world: &Arc<World>,
    switches: &Switches,
    call: &mut Call,
    (kind, id): (CallKind, &str),
    effect: Option<&Effect>,
) -> Result<Outcome, Dropped> {
    let now_ms = world.clock.now_ms();
    let caller = match api::authenticate(world, switches, call, kind, now_ms) {
        Ok(caller) => caller,
        Err(error) => return Ok(error.reply().into()),
    };
    let outcome = |reply: Reply| Outcome {
        reply,
        account: Some(caller.account),
        client: Some(caller.client),
        range_start: None,
    };
    let locks = switches.write_lock && kind.takes_write_lock();
    let writing = if locks {
        world.begin_write(caller.account)
    } else {
        None
    };
    if locks && writing.is_none() {
        return Ok(outcome(ApiError::write_lock().reply()));
    }
    pause(switches, kind, effect).await;
    if let Some(error) = api_refusal(effect, &caller.project) {
        return Ok(outcome(retry_after(error.reply(), effect)));
    }
    if let Err(reason) = take_quota(world, switches, Some(&caller.project), kind) {
        return Ok(outcome(ApiError::quota(reason, &caller.project).reply()));
    }
    let (media_base, own_base) = (call.media_base(), call.own_base());
    let context = Context {
        world,
        switches,
        caller: &caller,
        media_base: &media_base,
        own_base: &own_base,
        now_ms,
    };
    let reply = api::handle(&context, call, kind, id, effect).await?;
    drop(writing);
    Ok(outcome(reply))
}

async fn pause(switches: &Switches, kind: CallKind, effect: Option<&Effect>) {
    let usual = switches.latency_ms.get(&kind).copied().unwrap_or(0);
    let extra = match effect {
        Some(Effect::Delay { ms }) => *ms,
        _ => 0,
    };
    if usual + extra > 0 {
        tokio::time::sleep(Duration::from_millis(usual + extra)).await;
    }
}

fn take_quota(
    world: &World,
    switches: &Switches,
    project: Option<&str>,
    kind: CallKind,
) -> Result<(), Exhausted> {
    let Some(project) = project.filter(|_| switches.enforce_quota) else {
        return Ok(());
    };
    let now_ms = world.clock.now_ms();
    lock(&world.quota).take(project, kind.cost(), switches.limits(project), now_ms)
}

/// The status a fault refuses a base URL with.
fn refusal(effect: Option<&Effect>) -> Option<u16> {
    match effect? {
        Effect::Status { code, .. } => Some(*code),
        Effect::QuotaDay | Effect::QuotaMinute | Effect::WriteLock => Some(429),
        _ => None,
    }
}

/// The error a fault refuses an API call with.
fn api_refusal(effect: Option<&Effect>, project: &str) -> Option<ApiError> {
    Some(match effect? {
        Effect::Status { code, message, .. } => ApiError::of_status(*code, message.clone()),
        Effect::QuotaDay => ApiError::quota(Exhausted::Day, project),
        Effect::QuotaMinute => ApiError::quota(Exhausted::Minute, project),
        Effect::WriteLock => ApiError::write_lock(),
        _ => return None,
    })
}

fn retry_after(reply: Reply, effect: Option<&Effect>) -> Reply {
    match effect {
        Some(Effect::Status {
            retry_after: Some(seconds),
            ..
        }) => reply.header(header::RETRY_AFTER, &seconds.to_string()),
        _ => reply,
    }
}

/// Applies the faults that spoil a body.
fn spoil(mut reply: Reply, effect: Option<&Effect>) -> Reply {
    reply.body = match effect {
        Some(Effect::Truncate { at }) => reply.body.truncated(*at),
        Some(Effect::Short { at }) => reply.body.shortened(*at),
        Some(Effect::Stall { at }) => reply.body.stalling(*at),
        Some(Effect::Corrupt) => reply.body.corrupted(),
        Some(Effect::Oversized { extra }) => reply.body.lengthened(*extra),
        Some(Effect::Empty) => Body::empty(),
        Some(Effect::Html) => {
            return Reply::html(200, "<!DOCTYPE html><title>Google Photos</title><p>Sign in");
        }
        Some(Effect::Redirect { to }) => {
            return Reply::text(302, "").header(header::LOCATION, to);
        }
        Some(Effect::MalformedJson) => return Reply::json(200, r#"{"mediaItems":[{"id":"#),
        _ => return reply,
    };
    reply.headers.remove(header::CONTENT_LENGTH);
    reply
}

fn record(
    world: &World,
    kind: CallKind,
    item: Option<Key>,
    status: u16,
    outcome: &Option<&Outcome>,
    bytes: u64,
) -> u64 {
    world.ledger.record(Entry {
        number: 0,
        at_ms: world.clock.now_ms(),
        kind,
        status,
        account: outcome.and_then(|outcome| outcome.account),
        client: outcome.and_then(|outcome| outcome.client),
        item: item.map(|key| key.0),
        bytes,
        range_start: outcome.and_then(|outcome| outcome.range_start),
        items: outcome.map_or(0, |outcome| outcome.reply.items),
    })
}

fn respond(reply: Reply) -> Response<Body> {
    let mut headers = reply.headers;
    if !headers.contains_key(header::CONTENT_LENGTH) {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(reply.body.len()));
    }
    let mut response = Response::new(reply.body);
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = headers;
    response
}
