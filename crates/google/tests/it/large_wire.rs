//! Large uploads as they go over the wire, and answers that no emulator of Google would give.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use tintype_google::{Deadlines, GoogleEndpoints};
use tintype_ports::photos::{
    AttemptOutcome, Persistence, PhotoError, SendError, Traffic, UploadToken,
};

use crate::{
    body::{Memory, noise},
    wire::{Answer, Request, Wire},
    world::{Gate, open_sink, quick},
};

const BEGUN: Answer = Answer::Says(
    &[
        "200 OK",
        "X-Goog-Upload-URL: {here}v1/uploads?upload_id=x",
        "X-Goog-Upload-Chunk-Granularity: 1000",
        "X-Goog-Upload-Status: active",
    ],
    "",
);
const TAKEN: Answer = Answer::Says(&["200 OK", "X-Goog-Upload-Status: active"], "");
const FINISHED: Answer = Answer::Says(&["200 OK", "X-Goog-Upload-Status: final"], "the-token");
const TROUBLE: Answer = Answer::Says(&["503 Service Unavailable"], "");
const UNAUTHENTICATED: Answer = Answer::Says(&["401 Unauthorized"], "");

/// Sends `body` as one of `size` bytes to a server that answers so.
async fn send(
    answers: &[Answer],
    size: u64,
    body: &mut Memory,
    tune: impl FnOnce(&mut Deadlines),
    persistence: Persistence,
) -> (Result<UploadToken, SendError>, Vec<Request>, Arc<Gate>) {
    let wire = Wire::saying(answers).await;
    let gate = Gate::alone();
    let mut settings = quick(GoogleEndpoints::at(&wire.url));
    tune(&mut settings.deadlines);
    let sink = open_sink(settings, &gate, persistence);
    let sent = sink.send_large("video/mp4", size, body).await;
    (sent, wire.requests(), gate)
}

async fn send_usually(
    answers: &[Answer],
    body: &mut Memory,
) -> (Result<UploadToken, SendError>, Vec<Request>, Arc<Gate>) {
    send(answers, 2500, body, |_| {}, Persistence::Usual).await
}

fn sha1(bytes: &[u8]) -> String {
    let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes);
    format!("sha1={}", STANDARD.encode(digest))
}

/// Of each request: command, offset, length.
fn commands(requests: &[Request]) -> Vec<[&str; 3]> {
    let names = [
        "x-goog-upload-command",
        "x-goog-upload-offset",
        "content-length",
    ];
    requests
        .iter()
        .map(|request| names.map(|name| request.header(name).unwrap_or("")))
        .collect()
}

#[tokio::test]
async fn the_protocol_is_spoken_as_google_documents_it() {
    let bytes = noise(2500);
    let mut body = Memory::of(bytes.clone());
    let (sent, requests, _) = send_usually(&[BEGUN, TAKEN, FINISHED], &mut body).await;
    assert_eq!(sent.unwrap().expose(), "the-token");
    let expected = [
        ["start", "", "0"],
        ["upload", "0", "2000"],
        ["upload, finalize", "2000", "500"],
    ];
    assert_eq!(commands(&requests), expected);
    let [start, stretch, last] = &requests[..] else {
        panic!("{} requests", requests.len())
    };
    assert_eq!(start.head[0], "POST /v1/uploads HTTP/1.1");
    for (name, value) in [
        ("x-goog-upload-protocol", "resumable"),
        ("x-goog-upload-content-type", "video/mp4"),
        ("x-goog-upload-raw-size", "2500"),
    ] {
        assert_eq!(start.header(name), Some(value));
    }
    for piece in [stretch, last] {
        assert_eq!(piece.head[0], "POST /v1/uploads?upload_id=x HTTP/1.1");
        assert_eq!(piece.header("transfer-encoding"), None);
        assert_eq!(piece.header("authorization"), Some("Bearer token"));
    }
    assert!(stretch.body == bytes[..2000] && last.body == bytes[2000..]);
    assert_eq!(last.header("x-goog-hash"), Some(&*sha1(&bytes)));
}

#[tokio::test]
async fn a_token_that_is_refused_in_mid_file_is_replaced_once() {
    let bytes = noise(2500);
    let mut body = Memory::of(bytes.clone());
    let answers = [BEGUN, UNAUTHENTICATED, TAKEN, FINISHED];
    let (sent, requests, gate) = send_usually(&answers, &mut body).await;
    sent.unwrap();
    assert!(requests[1].body == bytes[..2000] && requests[2].body == bytes[..2000]);
    assert_eq!(requests[3].header("x-goog-hash"), Some(&*sha1(&bytes)));
    assert_eq!(body.opened, [0, 0]);
    assert_eq!(
        (gate.renewed.load(Ordering::Relaxed), gate.admits()),
        (1, 4)
    );
    let answers = [BEGUN, UNAUTHENTICATED, UNAUTHENTICATED];
    let (sent, _, gate) = send_usually(&answers, &mut Memory::of(bytes)).await;
    assert!(
        matches!(sent, Err(SendError::Google(PhotoError::AuthLost(_)))),
        "{sent:?}"
    );
    assert_eq!(gate.admits(), 3);
}

#[tokio::test]
async fn a_session_that_was_cancelled_is_begun_anew() {
    let cancelled = Answer::Says(&["200 OK", "X-Goog-Upload-Status: cancelled"], "");
    let answers = [BEGUN, TROUBLE, cancelled, BEGUN, TAKEN, FINISHED];
    let (sent, requests, gate) = send_usually(&answers, &mut Memory::of(noise(2500))).await;
    sent.unwrap();
    let expected = [
        ["start", "", "0"],
        ["upload", "0", "2000"],
        ["query", "", "0"],
        ["start", "", "0"],
        ["upload", "0", "2000"],
        ["upload, finalize", "2000", "500"],
    ];
    assert_eq!(commands(&requests), expected);
    use AttemptOutcome::{Answered, Failed};
    let outcomes = [Answered, Failed, Answered, Answered, Answered, Answered];
    assert_eq!(gate.outcomes(), outcomes);
    use Traffic::{Call, Upload};
    assert_eq!(gate.traffic(), [Call, Upload, Call, Call, Upload, Upload]);
}

#[tokio::test]
async fn what_google_has_whole_is_finished_without_bytes() {
    let bytes = noise(2500);
    let mut body = Memory::of(bytes.clone());
    let has_all = Answer::Says(
        &[
            "200 OK",
            "X-Goog-Upload-Status: active",
            "X-Goog-Upload-Size-Received: 2500",
        ],
        "",
    );
    let answers = [BEGUN, TAKEN, TROUBLE, has_all, FINISHED];
    let (sent, requests, _) = send_usually(&answers, &mut body).await;
    sent.unwrap();
    assert_eq!(commands(&requests)[4], ["upload, finalize", "2500", "0"]);
    assert_eq!(requests[4].header("x-goog-hash"), Some(&*sha1(&bytes)));
    assert_eq!(body.opened, [0]);
}

#[tokio::test]
async fn a_piece_that_ends_the_session_is_not_taken_for_a_piece() {
    let over = Answer::Says(&["200 OK", "X-Goog-Upload-Status: final"], "");
    let answers = [BEGUN, FINISHED, over, BEGUN, TAKEN, FINISHED];
    let (sent, requests, _) = send_usually(&answers, &mut Memory::of(noise(2500))).await;
    sent.unwrap();
    assert_eq!(requests.len(), 6);
}

#[tokio::test]
async fn a_session_at_another_place_is_not_followed() {
    let elsewhere = Answer::Says(
        &[
            "200 OK",
            "X-Goog-Upload-URL: http://127.0.0.1:1/v1/uploads?upload_id=x",
            "X-Goog-Upload-Status: active",
        ],
        "",
    );
    let mut body = Memory::of(noise(2500));
    let (sent, _, gate) = send_usually(&[elsewhere], &mut body).await;
    let Err(SendError::Google(PhotoError::Rejected(text))) = sent else {
        panic!("{sent:?}")
    };
    assert!(text.contains("http://127.0.0.1:1") && !text.contains("upload_id"));
    assert_eq!((gate.admits(), body.opened.len()), (1, 0));
}

#[tokio::test]
async fn silence_while_bytes_are_sent_is_not_waited_out_for_ever() {
    // More than the buffers below take.
    let size = 32 * 1024 * 1024;
    let mut body = Memory::of(noise(size));
    let tune = |deadlines: &mut Deadlines| deadlines.upload_idle = Duration::from_millis(100);
    let answers = [BEGUN, Answer::Silence];
    let (sent, _, gate) = send(&answers, size as u64, &mut body, tune, Persistence::Once).await;
    assert!(
        matches!(&sent, Err(SendError::Google(PhotoError::Unavailable(text))) if text.contains("no bytes were taken")),
        "{sent:?}"
    );
    use AttemptOutcome::{Answered, Failed};
    assert_eq!(gate.outcomes(), [Answered, Failed]);
}

#[tokio::test]
async fn silence_after_the_last_byte_is_not_waited_out_for_ever() {
    let mut body = Memory::of(noise(2500));
    let tune = |deadlines: &mut Deadlines| deadlines.upload_answer = Duration::from_millis(100);
    let answers = [BEGUN, Answer::Silence];
    let (sent, _, _) = send(&answers, 2500, &mut body, tune, Persistence::Once).await;
    assert!(
        matches!(&sent, Err(SendError::Google(PhotoError::Unavailable(text))) if text.contains("no whole answer")),
        "{sent:?}"
    );
}
