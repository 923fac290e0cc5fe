//! How long an item's bytes are, by an answer of its own: a HEAD of the base URL.

use tintype_model::{item::MediaKind, quota::QuotaKind};
use tintype_ports::photos::{BaseUrl, PhotoError, Traffic};
use tokio::time::{Instant, timeout};

use super::{answer::told_length, with_suffix};
use crate::{
    attempt::Caller,
    call,
    failure::{self, Failure, Passing},
    patience::Patience,
};

/// Asks until an answer tells, or says that it never will (`None`).
pub(crate) async fn size(
    caller: &Caller,
    url: &BaseUrl,
    kind: MediaKind,
) -> Result<Option<u64>, PhotoError> {
    let url = with_suffix(url, kind);
    let mut patience = Patience::default();
    loop {
        caller
            .gate
            .admit(QuotaKind::Download)
            .await
            .map_err(failure::of_quota)?;
        match one_attempt(caller, &url).await {
            Ok(length) => return Ok(length),
            Err(failure) => {
                caller
                    .settle(failure, QuotaKind::Download, &mut patience)
                    .await?;
            }
        }
    }
}

async fn one_attempt(caller: &Caller, url: &str) -> Result<Option<u64>, Failure> {
    let request = caller.for_bytes(caller.client.head(url)).await?;
    let deadline = caller.settings.deadlines.download_head;
    let started = Instant::now();
    let mut head_at = None;
    let span = call::span(call::SIZE);
    let whole = async {
        let response = request.send().await.map_err(failure::of_send);
        head_at = Some(Instant::now());
        let response = response?;
        call::answered(&span, response.status());
        told_length(response).await
    };
    let result = timeout(deadline, whole).await.unwrap_or_else(|_| {
        let text = format!("no answer within {} s", deadline.as_secs_f32());
        Err(Failure::Passing(Passing::trouble(text)))
    });
    call::ended(&span, result.as_ref().err());
    caller.observe(Traffic::Download, started, head_at, result.as_ref().err());
    result
}
