//! Calls that carry an `Idempotency-Key`: whoever repeats one gets the first answer, and there is one effect.
//!
//! What succeeded is kept for a day, in the catalogue, so that it is known after a restart and in every gateway. What was refused
//! or failed is not: it may be asked again under the same key, once it is mended.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use tintype_app::runs::describe;
use tintype_model::BlobHash;
use tintype_ports::store::{CallClaim, KeptAnswer, KeyedCall};

use crate::{Shared, body, caller::Tenant, problem::Problem};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

const KEEP: Duration = Duration::from_secs(24 * 60 * 60);
/// Longer than any call takes. A gateway that died in the middle of one blocks its key for so long.
const PATIENCE: Duration = Duration::from_secs(5 * 60);
const LONGEST_KEY: usize = 255;
/// No answer to a call that takes a key is longer.
const LONGEST_ANSWER: usize = 1 << 20;
/// What belongs to an answer beside its body.
const KEPT: [HeaderName; 2] = [header::CONTENT_TYPE, header::ETAG];
/// The part of the answers kept after which old ones are cleared away.
const CLEARS: f64 = 0.02;

/// Makes the call, unless it was made.
pub(crate) async fn once(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    let answer = match key(request.headers()) {
        Ok(None) => return next.run(request).await,
        Ok(Some(key)) => answer(&shared, key, request, next).await,
        Err(problem) => Err(problem),
    };
    answer.unwrap_or_else(Problem::into_response)
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(given) = headers.get(KEY) else {
        return Ok(None);
    };
    let text = given.to_str().unwrap_or_default();
    let fits =
        (1..=LONGEST_KEY).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits {
        return Ok(Some(text.to_owned()));
    }
    Err(Problem::new(
        StatusCode::BAD_REQUEST,
        "bad_idempotency_key",
        "The idempotency key cannot be used",
        "send 1 to 255 letters, digits and signs, without spaces; a random UUID will do",
    ))
}

async fn answer(
    shared: &Shared,
    key: String,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let tenant = request.extensions().get::<Tenant>().map(|it| it.0);
    let (parts, sent) = request.into_parts();
    let sent = body::collect(sent, shared.limits).await?;
    let call = KeyedCall {
        tenant,
        key,
        fingerprint: fingerprint(&[
            parts.method.as_str().as_bytes(),
            parts.uri.path().as_bytes(),
            &sent,
        ]),
    };
    let store = &shared.app.ports().store;
    match store.claim_call(&call, PATIENCE, KEEP).await? {
        CallClaim::Yours { epoch } => {
            let request = Request::from_parts(parts, Body::from(sent));
            settle(shared, &call, epoch, next.run(request).await).await
        }
        CallClaim::Done(kept) => Ok(replay(kept)),
        CallClaim::UnderWay => {
            let mut problem = Problem::new(
                StatusCode::CONFLICT,
                "idempotency_under_way",
                "A call with this idempotency key is under way",
                "ask again in a moment for its answer",
            );
            problem.retry_after = Some(1);
            Err(problem)
        }
        CallClaim::Other => Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_key_reused",
            "This idempotency key belongs to another call",
            "send the same path and body again, or a new key",
        )),
    }
}

/// The parts cannot be told apart wrongly: each is hashed with its length.
fn fingerprint(parts: &[&[u8]]) -> BlobHash {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    BlobHash::from_bytes(hasher.finalize().into())
}

/// Keeps an answer that says that something was done; gives the key free otherwise.
async fn settle(
    shared: &Shared,
    call: &KeyedCall,
    epoch: i64,
    answer: Response,
) -> Result<Response, Problem> {
    let store = &shared.app.ports().store;
    if !answer.status().is_success() {
        if let Err(error) = store.drop_call(call, epoch).await {
            tracing::warn!(error = %describe(&error), "an idempotency key stays taken for some minutes");
        }
        return Ok(answer);
    }
    let (parts, said) = answer.into_parts();
    let said = to_bytes(said, LONGEST_ANSWER).await.map_err(|error| {
        tracing::error!(%error, "an answer could not be kept");
        Problem::of(tintype_model::ErrorKind::Internal, "")
    })?;
    let headers = KEPT.iter().filter_map(|name| {
        let value = parts.headers.get(name)?.to_str().ok()?;
        Some((name.to_string(), value.to_owned()))
    });
    let kept = KeptAnswer {
        status: parts.status.as_u16(),
        headers: headers.collect(),
        body: String::from_utf8_lossy(&said).into_owned(),
    };
    match store.keep_answer(call, epoch, &kept).await {
        Ok(true) => {}
        Ok(false) => tracing::warn!("a call took longer than its idempotency key was held"),
        Err(error) => {
            tracing::warn!(error = %describe(&error), "an answer could not be kept");
        }
    }
    if shared.app.ports().entropy.unit() < CLEARS
        && let Err(error) = store.forget_answers(call.tenant).await
    {
        tracing::warn!(error = %describe(&error), "old answers could not be cleared away");
    }
    Ok(Response::from_parts(parts, Body::from(said)))
}

fn replay(kept: KeptAnswer) -> Response {
    let mut answer = Response::new(Body::from(kept.body));
    *answer.status_mut() = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK);
    for (name, value) in &kept.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            answer.headers_mut().insert(name, value);
        }
    }
    let said = HeaderValue::from_static("true");
    answer.headers_mut().insert(REPLAYED, said);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(fingerprint(&[b"ab", b"c"]), fingerprint(&[b"a", b"bc"]));
    }

    #[test]
    fn a_key_is_what_a_log_and_a_database_can_take() {
        let longest = "k".repeat(LONGEST_KEY);
        for (given, fits) in [
            ("4f1c-9", true),
            (longest.as_str(), true),
            ("", false),
            ("two words", false),
            (&format!("{longest}k"), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(KEY, given.parse().unwrap());
            assert_eq!(key(&headers).is_ok(), fits, "{given:.10}");
        }
    }
}
