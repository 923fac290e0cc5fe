//! Bytes on their way to Google.

use bytes::Bytes;
use tintype_emulator::{CallKind, Effect, Fault, Library, SCOPE_READ};
use tintype_ports::photos::{AttemptOutcome, Forbidden, Persistence, PhotoError, Traffic};

use crate::world::World;

const PHOTO: Bytes = Bytes::from_static(b"not looked at");

fn unavailable() -> Effect {
    Effect::Status {
        code: 503,
        message: None,
        retry_after: None,
    }
}

#[tokio::test]
async fn bytes_are_taken_for_a_token_and_make_no_item() {
    let world = World::with(Library::Empty).await;
    let sink = world.sink(Persistence::Usual);
    let first = sink.send("image/jpeg", PHOTO).await.unwrap();
    let second = sink.send("image/jpeg", PHOTO).await.unwrap();
    assert_ne!(first, second);
    assert!(!format!("{first:?}").contains(first.expose()));
    assert_eq!(world.control.calls(CallKind::UploadRaw), 2);
    assert_eq!(world.gate.traffic(), [Traffic::Upload; 2]);
    let items = world.control.items(tintype_emulator::DEFAULT_ACCOUNT, 10);
    assert_eq!(items.unwrap().len(), 0);
    world.close().await;
}

/// The emulator compares the SHA-1 that came with the bytes that came.
#[tokio::test]
async fn every_upload_carries_the_hash_that_google_compares() {
    let world = World::with(Library::Empty).await;
    world.control.set(|it| it.require_upload_hash = true);
    let sink = world.sink(Persistence::Usual);
    sink.send("image/jpeg", PHOTO).await.unwrap();
    let empty = sink.send("image/jpeg", Bytes::new()).await.unwrap_err();
    assert!(
        matches!(&empty, PhotoError::Rejected(text) if text.contains("non-empty")),
        "{empty}"
    );
    world.close().await;
}

#[tokio::test]
async fn passing_trouble_is_borne_unless_it_is_what_is_asked_about() {
    let world = World::with(Library::Empty).await;
    let trouble = Fault::on(CallKind::UploadRaw, unavailable());
    world.control.fault(trouble.clone().times(2));
    let patient = world.sink(Persistence::Usual);
    patient.send("image/jpeg", PHOTO).await.unwrap();
    world.control.fault(trouble.times(1));
    let curious = world.sink(Persistence::Once);
    let error = curious.send("image/jpeg", PHOTO).await.unwrap_err();
    assert!(matches!(error, PhotoError::Unavailable(_)), "{error}");
    use AttemptOutcome::{Answered, Failed};
    assert_eq!(world.gate.outcomes(), [Failed, Failed, Answered, Failed]);
    world.close().await;
}

#[tokio::test]
async fn an_answer_that_is_no_token_is_not_taken_for_one() {
    let world = World::with(Library::Empty).await;
    world
        .control
        .fault(Fault::on(CallKind::UploadRaw, Effect::Html));
    let sink = world.sink(Persistence::Once);
    let error = sink.send("image/jpeg", PHOTO).await.unwrap_err();
    assert!(matches!(error, PhotoError::Unavailable(_)), "{error}");
    world.close().await;
}

#[tokio::test]
async fn without_the_scope_nothing_is_sent() {
    let world = World::tuned(Library::Empty, |_, gate| gate.scopes = Some(SCOPE_READ)).await;
    world.control.expire_access_tokens();
    let sink = world.sink(Persistence::Usual);
    let error = sink.send("image/jpeg", PHOTO).await.unwrap_err();
    let is_missing = matches!(error, PhotoError::Forbidden(Forbidden::ScopeMissing));
    assert!(is_missing, "{error}");
    world.close().await;
}
