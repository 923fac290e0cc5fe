//! Many bytes in one request, sent as they are read.

use std::{convert::Infallible, ops::Range, pin::pin};

use bytes::Bytes;
use futures::{StreamExt as _, stream::poll_fn};
use reqwest::{Body, RequestBuilder, header::CONTENT_LENGTH};
use secrecy::ExposeSecret;
use tintype_ports::photos::{BodyBroke, Traffic};
use tokio::{
    select,
    sync::mpsc,
    time::{Instant, timeout},
};

use super::{
    Halt,
    session::{Session, goes_on},
    source::Source,
};
use crate::{
    attempt::{Caller, judge},
    call,
    failure::{self, About, Failure, Passing},
    settings::Deadlines,
};

/// Sends a stretch that is not the last. A refused access token is replaced once.
pub(super) async fn send(
    caller: &Caller,
    session: &Session,
    source: &mut Source<'_>,
    stretch: Range<u64>,
) -> Result<(), Halt> {
    let length = stretch.end - stretch.start;
    let mut rejected = None;
    loop {
        source.seek(stretch.start).await?;
        let token = caller.admitted(rejected.as_ref()).await?;
        let request = session
            .upload(&caller.client, "upload", stretch.start)
            .bearer_auth(token.secret.expose_secret());
        match one_attempt(caller, request, source, length).await {
            Err(Halt::Google(Failure::Token(_))) if rejected.is_none() => rejected = Some(token),
            outcome => return outcome,
        }
    }
}

/// The next `length` bytes of the source, in one request.
async fn one_attempt(
    caller: &Caller,
    request: RequestBuilder,
    source: &mut Source<'_>,
    length: u64,
) -> Result<(), Halt> {
    // The bytes are read here and handed over one piece at a time: what comes of reading them needs no way back through the
    // client, and no more is read than the connection takes.
    let (taker, pieces) = mpsc::channel(1);
    let request = request
        .header(CONTENT_LENGTH, length)
        .body(streamed(pieces));
    let started = Instant::now();
    let mut head_at = None;
    let span = call::span(call::UPLOAD);
    let deadlines = &caller.settings.deadlines;
    let whole = async {
        let mut answer = pin!(request.send());
        let (all_sent, answered) = select! {
            answered = &mut answer => (false, answered),
            fed = feed(source, &taker, length, deadlines) => {
                let all_sent = fed?;
                let answered = timeout(deadlines.upload_answer, &mut answer).await;
                (all_sent, answered.map_err(|_| no_answer(deadlines))?)
            }
        };
        head_at = Some(Instant::now());
        let response = answered.map_err(failure::of_send)?;
        call::answered(&span, response.status());
        let judged = timeout(deadlines.upload_answer, judge(response, About::default())).await;
        let answer = judged.map_err(|_| no_answer(deadlines))??;
        if !all_sent {
            return Err(failure::unreadable("it came before the last byte was sent").into());
        }
        goes_on(&answer.headers)?;
        Ok::<(), Halt>(())
    };
    let result = whole.await;
    let failure = match &result {
        Ok(()) => None,
        Err(Halt::Google(failure)) => Some(failure),
        // It says nothing of Google.
        Err(Halt::Body(_)) => return result,
    };
    call::ended(&span, failure);
    caller.observe(Traffic::Upload, started, head_at, failure);
    result
}

/// Hands over `length` bytes as they are taken. False when the connection takes no more; its answer says why.
async fn feed(
    source: &mut Source<'_>,
    taker: &mpsc::Sender<Bytes>,
    length: u64,
    deadlines: &Deadlines,
) -> Result<bool, Halt> {
    let mut left = length;
    while left > 0 {
        let piece = source.next(left).await?.ok_or(BodyBroke)?;
        left -= piece.len() as u64;
        match timeout(deadlines.upload_idle, taker.send(piece)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Ok(false),
            Err(_) => {
                let silence = deadlines.upload_idle.as_secs_f32();
                let text = format!("no bytes were taken for {silence} s");
                return Err(Failure::Passing(Passing::trouble(text)).into());
            }
        }
    }
    Ok(true)
}

/// A body that ends when nobody hands over any more. Ending early breaks the connection, because a length was promised.
fn streamed(mut pieces: mpsc::Receiver<Bytes>) -> Body {
    Body::wrap_stream(poll_fn(move |context| pieces.poll_recv(context)).map(Ok::<_, Infallible>))
}

fn no_answer(deadlines: &Deadlines) -> Failure {
    let wait = deadlines.upload_answer.as_secs_f32();
    Failure::Passing(Passing::trouble(format!("no whole answer within {wait} s")))
}
