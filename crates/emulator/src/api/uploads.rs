//! `POST /uploads`: raw, or resumable by commands.

use aws_lc_rs::digest::{Context as Digest, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http::HeaderName;
use http_body_util::BodyExt as _;

use super::Context;
use super::error::ApiError;
use crate::faults::Effect;
use crate::kind::CallKind;
use crate::mix::opaque;
use crate::net::call::{Call, Dropped, Reply};
use crate::state::uploads::{GRANULARITY, Phase, Session, Uploaded};
use crate::sync::lock;

const STATUS: HeaderName = HeaderName::from_static("x-goog-upload-status");
const RECEIVED: HeaderName = HeaderName::from_static("x-goog-upload-size-received");
/// Bytes kept of an upload under the switch `forget_uploads`: enough to read its dimensions and date.
const HEAD: usize = 256 * 1024;

/// Runs any upload command.
pub(crate) async fn handle(
    context: &Context<'_>,
    call: &mut Call,
    kind: CallKind,
    effect: Option<&Effect>,
) -> Result<Reply, Dropped> {
    let drop_after = match effect {
        Some(Effect::DropUpload { after }) => Some(*after),
        _ => None,
    };
    let result = match kind {
        CallKind::UploadRaw => raw(context, call, drop_after).await?,
        CallKind::UploadStart => start(context, call),
        CallKind::UploadChunk => chunk(context, call, drop_after).await?,
        CallKind::UploadQuery => query(context, call),
        _ => cancel(context, call),
    };
    Ok(result.unwrap_or_else(|error| error.reply()))
}

async fn raw(
    context: &Context<'_>,
    call: &mut Call,
    drop_after: Option<u64>,
) -> Result<Result<Reply, ApiError>, Dropped> {
    let most = context.switches.max_video_bytes;
    let mut received = BytesMut::new();
    let whole = receive(call, &mut received, drop_after, most).await;
    if !whole {
        return Err(Dropped);
    }
    if call.header("x-goog-upload-protocol") != Some("raw") {
        return Ok(Err(ApiError::invalid(
            "Request must contain a valid upload protocol.",
        )));
    }
    let hash = call.header("x-goog-hash").map(str::to_owned);
    let described = (mime(call), file_name(call));
    Ok(finish(
        context,
        received.freeze(),
        described,
        hash.as_deref(),
    ))
}

fn mime(call: &Call) -> Option<String> {
    call.header("x-goog-upload-content-type").map(str::to_owned)
}

fn file_name(call: &Call) -> Option<String> {
    call.header("x-goog-upload-file-name").map(str::to_owned)
}

/// Checks the bytes and answers a token for them.
fn finish(
    context: &Context<'_>,
    bytes: Bytes,
    (mime, file_name): (Option<String>, Option<String>),
    hash: Option<&str>,
) -> Result<Reply, ApiError> {
    if bytes.is_empty() {
        return Err(ApiError::invalid("Request must contain a non-empty file."));
    }
    if hash.is_none() && context.switches.require_upload_hash {
        return Err(ApiError::invalid("Request must contain X-Goog-Hash."));
    }
    if let Some(hash) = hash.filter(|_| context.switches.check_upload_hash) {
        check_hash(hash, &bytes)?;
    }
    let mut sha256 = [0; 32];
    let mut hasher = Digest::new(&SHA256);
    hasher.update(&bytes);
    sha256.copy_from_slice(hasher.finish().as_ref());
    let len = bytes.len() as u64;
    let kept = if context.switches.forget_uploads {
        Bytes::copy_from_slice(&bytes[..bytes.len().min(HEAD)])
    } else {
        bytes
    };
    let mut uploads = lock(&context.world.uploads);
    let serial = uploads.next_serial();
    let token = format!("CAIS{}", opaque(context.world.seed ^ 0x5050, serial, 150));
    let uploaded = Uploaded {
        account: context.caller.account,
        client: context.caller.client,
        mime,
        file_name,
        bytes: kept,
        len,
        sha256,
        issued_ms: context.now_ms,
        used: None,
    };
    uploads.tokens.insert(token.clone(), uploaded);
    Ok(Reply::text(200, token))
}

fn check_hash(header: &str, bytes: &[u8]) -> Result<(), ApiError> {
    let expected = header
        .split(',')
        .find_map(|part| part.trim().strip_prefix("sha1="));
    let Some(expected) = expected else {
        return Err(ApiError::invalid("Unsupported hash in X-Goog-Hash."));
    };
    let found = STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes));
    if expected == found {
        return Ok(());
    }
    Err(ApiError::invalid(
        "Checksum mismatch: the uploaded bytes do not match X-Goog-Hash.",
    ))
}

fn start(context: &Context<'_>, call: &Call) -> Result<Reply, ApiError> {
    if call.header("x-goog-upload-protocol") != Some("resumable") {
        return Err(ApiError::invalid(
            "Request must contain a valid upload protocol.",
        ));
    }
    let size = match call.header("x-goog-upload-raw-size") {
        Some(text) => Some(
            text.parse()
                .map_err(|_| ApiError::invalid("Invalid X-Goog-Upload-Raw-Size."))?,
        ),
        None => None,
    };
    if size == Some(0) {
        return Err(ApiError::invalid("Request must contain a non-empty file."));
    }
    let mut uploads = lock(&context.world.uploads);
    let serial = uploads.next_serial();
    let id = opaque(context.world.seed ^ 0x6060, serial, 60);
    let session = Session {
        account: context.caller.account,
        client: context.caller.client,
        mime: mime(call),
        file_name: file_name(call),
        size,
        hash: call.header("x-goog-hash").map(str::to_owned),
        phase: Phase::Active,
        received: BytesMut::new(),
    };
    uploads.sessions.insert(id.clone(), session);
    let address = format!(
        "{}/v1/uploads?upload_id={id}&upload_protocol=resumable",
        context.own_base
    );
    let granularity = GRANULARITY.to_string();
    Ok(Reply::text(200, "")
        .header(HeaderName::from_static("x-goog-upload-url"), &address)
        .header(
            HeaderName::from_static("x-goog-upload-control-url"),
            &address,
        )
        .header(
            HeaderName::from_static("x-goog-upload-chunk-granularity"),
            &granularity,
        )
        .header(STATUS, Phase::Active.name()))
}

async fn chunk(
    context: &Context<'_>,
    call: &mut Call,
    drop_after: Option<u64>,
) -> Result<Result<Reply, ApiError>, Dropped> {
    let most = context.switches.max_video_bytes;
    let mut data = BytesMut::new();
    let whole = receive(call, &mut data, drop_after, most).await;
    let command = call
        .header("x-goog-upload-command")
        .unwrap_or("")
        .to_owned();
    let finalize = command.split(',').any(|word| word.trim() == "finalize");
    let offset = call
        .header("x-goog-upload-offset")
        .and_then(|text| text.parse::<u64>().ok());
    let late_hash = call.header("x-goog-hash").map(str::to_owned);
    let id = call.parameter("upload_id").unwrap_or_default();

    let ready = {
        let mut uploads = lock(&context.world.uploads);
        let session = match session(context, &mut uploads.sessions, &id) {
            Ok(session) => session,
            Err(error) => return Ok(Err(error)),
        };
        if session.phase != Phase::Active {
            return Ok(Err(ApiError::invalid("Upload is not active.")));
        }
        let received = session.received.len() as u64;
        if offset != Some(received) {
            let message = format!("Upload offset does not match: {received} bytes were received.");
            return Ok(Err(ApiError::invalid(message)));
        }
        if !whole {
            let kept = data.len() as u64 / GRANULARITY * GRANULARITY;
            data.truncate(usize::try_from(kept).unwrap_or(0));
            session.received.unsplit(data);
            return Err(Dropped);
        }
        if !finalize && !(data.len() as u64).is_multiple_of(GRANULARITY) {
            let message = format!("Chunks must be a multiple of {GRANULARITY} bytes.");
            return Ok(Err(ApiError::invalid(message)));
        }
        let total = received + data.len() as u64;
        let size = session.size.unwrap_or(total);
        if total > size || (finalize && total < size) {
            return Ok(Err(ApiError::invalid(
                "Upload size does not match X-Goog-Upload-Raw-Size.",
            )));
        }
        session.received.unsplit(data);
        if !finalize {
            let received = session.received.len().to_string();
            return Ok(Ok(Reply::text(200, "")
                .header(STATUS, Phase::Active.name())
                .header(RECEIVED, &received)));
        }
        session.phase = Phase::Final;
        let bytes = std::mem::take(&mut session.received).freeze();
        (
            bytes,
            (session.mime.take(), session.file_name.take()),
            late_hash.or(session.hash.take()),
        )
    };
    let (bytes, described, hash) = ready;
    let reply = finish(context, bytes, described, hash.as_deref());
    Ok(reply.map(|reply| reply.header(STATUS, Phase::Final.name())))
}

fn query(context: &Context<'_>, call: &Call) -> Result<Reply, ApiError> {
    let id = call.parameter("upload_id").unwrap_or_default();
    let mut uploads = lock(&context.world.uploads);
    let session = session(context, &mut uploads.sessions, &id)?;
    let received = match session.phase {
        Phase::Final => session.size.unwrap_or(0),
        Phase::Active | Phase::Cancelled => session.received.len() as u64,
    };
    Ok(Reply::text(200, "")
        .header(STATUS, session.phase.name())
        .header(RECEIVED, &received.to_string()))
}

fn cancel(context: &Context<'_>, call: &Call) -> Result<Reply, ApiError> {
    let id = call.parameter("upload_id").unwrap_or_default();
    let mut uploads = lock(&context.world.uploads);
    let session = session(context, &mut uploads.sessions, &id)?;
    session.phase = Phase::Cancelled;
    session.received = BytesMut::new();
    Ok(Reply::text(200, "").header(STATUS, Phase::Cancelled.name()))
}

fn session<'a>(
    context: &Context<'_>,
    sessions: &'a mut std::collections::HashMap<String, Session>,
    id: &str,
) -> Result<&'a mut Session, ApiError> {
    sessions
        .get_mut(id)
        .filter(|session| {
            session.account == context.caller.account && session.client == context.caller.client
        })
        .ok_or_else(|| ApiError::not_found("The upload session does not exist."))
}

/// Reads the body; false when it ended early: by the client, by a fault, or by being longer than `most`.
async fn receive(call: &mut Call, out: &mut BytesMut, drop_after: Option<u64>, most: u64) -> bool {
    while let Some(frame) = call.body.frame().await {
        let Ok(frame) = frame else { return false };
        let Ok(data) = frame.into_data() else {
            continue;
        };
        out.extend_from_slice(&data);
        let len = out.len() as u64;
        if let Some(after) = drop_after.filter(|after| len >= *after) {
            out.truncate(usize::try_from(after).unwrap_or(usize::MAX));
            return false;
        }
        if len > most {
            return false;
        }
    }
    drop_after.is_none()
}
