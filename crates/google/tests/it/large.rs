//! Bytes that are too many to hold.

use std::sync::atomic::Ordering;

use tintype_emulator::{CallKind, DEFAULT_ACCOUNT, Effect, Fault, Library, SCOPE_READ};
use tintype_ports::photos::{
    AttemptOutcome, Creation, Forbidden, NewItem, Persistence, PhotoError, SendError, Traffic,
    UploadToken,
};

use crate::{
    body::{Memory, noise},
    world::World,
};

const MIB: usize = 1024 * 1024;
const GRANULE: usize = 256 * 1024;
const CHUNK: CallKind = CallKind::UploadChunk;

async fn world() -> World {
    let world = World::with(Library::Empty).await;
    world.control.set(|it| it.require_upload_hash = true);
    world
}

async fn send(world: &World, size: usize, body: &mut Memory) -> Result<UploadToken, SendError> {
    world
        .sink(Persistence::Usual)
        .send_large("video/mp4", size as u64, body)
        .await
}

/// Starts, pieces and questions so far.
fn calls(world: &World) -> [u64; 3] {
    [CallKind::UploadStart, CHUNK, CallKind::UploadQuery].map(|kind| world.control.calls(kind))
}

/// The bytes that Google makes an item of.
async fn bytes_behind(world: &World, token: UploadToken) -> Vec<u8> {
    let item = NewItem {
        token,
        filename: "long.mp4".to_owned(),
        description: None,
    };
    let batch = world.sink(Persistence::Usual).create(None, &[item]).await;
    let results = batch.results.unwrap();
    let [Creation::Made(id)] = &results[..] else {
        panic!("no item was made")
    };
    let bytes = world.control.served_bytes(id.as_str(), "original");
    bytes.unwrap().unwrap().to_vec()
}

fn status(code: u16) -> Effect {
    Effect::Status {
        code,
        message: None,
        retry_after: None,
    }
}

fn refused(sent: Result<UploadToken, SendError>) -> PhotoError {
    match sent {
        Err(SendError::Google(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_large_file_comes_whole_for_three_requests() {
    for size in [20 * MIB, 3 * MIB + 1] {
        let world = world().await;
        let bytes = noise(size);
        let mut body = Memory::of(bytes.clone());
        let token = send(&world, size, &mut body).await.unwrap();
        assert_eq!(calls(&world), [1, 2, 0]);
        assert_eq!(body.opened, [0], "nothing is read twice");
        let expected = [Traffic::Call, Traffic::Upload, Traffic::Upload];
        assert_eq!(world.gate.traffic(), expected);
        assert!(bytes_behind(&world, token).await == bytes);
        world.close().await;
    }
}

#[tokio::test]
async fn a_file_of_one_granule_or_less_comes_for_two() {
    for size in [GRANULE, 1] {
        let world = world().await;
        let bytes = noise(size);
        let token = send(&world, size, &mut Memory::of(bytes.clone())).await;
        assert_eq!(calls(&world), [1, 1, 0]);
        assert!(bytes_behind(&world, token.unwrap()).await == bytes);
        world.close().await;
    }
}

#[tokio::test]
async fn a_large_file_is_never_held_whole() {
    let world = world().await;
    let mut body = Memory::of(noise(64 * MIB));
    send(&world, 64 * MIB, &mut body).await.unwrap();
    let most_held = body.most_held.load(Ordering::Relaxed);
    assert!(most_held < 2 * MIB, "{most_held} bytes were held");
    world.close().await;
}

#[tokio::test]
async fn after_an_interruption_only_the_rest_is_sent() {
    let world = world().await;
    let after = (10 * MIB + GRANULE + 1) as u64;
    world
        .control
        .fault(Fault::on(CHUNK, Effect::DropUpload { after }).times(1));
    let bytes = noise(20 * MIB);
    let mut body = Memory::of(bytes.clone());
    let token = send(&world, 20 * MIB, &mut body).await.unwrap();
    assert_eq!(calls(&world), [1, 3, 1]);
    assert_eq!(body.opened, [0, (10 * MIB + GRANULE) as u64]);
    use AttemptOutcome::{Answered, Failed};
    let expected = [Answered, Failed, Answered, Answered, Answered];
    assert_eq!(world.gate.outcomes(), expected);
    assert!(bytes_behind(&world, token).await == bytes);
    world.close().await;
}

#[tokio::test]
async fn the_last_piece_is_repeated_by_itself() {
    let world = world().await;
    let trouble = Fault::on(CHUNK, Effect::DropBefore).skip(1).times(1);
    world.control.fault(trouble);
    let bytes = noise(5 * MIB);
    let mut body = Memory::of(bytes.clone());
    let token = send(&world, 5 * MIB, &mut body).await.unwrap();
    assert_eq!(calls(&world), [1, 3, 1]);
    assert_eq!(body.opened, [0, (5 * MIB - GRANULE) as u64]);
    assert!(bytes_behind(&world, token).await == bytes);
    world.close().await;
}

/// A long video may break more often than a call is repeated, as long as it gets on.
#[tokio::test]
async fn progress_renews_the_patience() {
    let world = world().await;
    let after = (16 * MIB) as u64;
    world
        .control
        .fault(Fault::on(CHUNK, Effect::DropUpload { after }).times(4));
    let mut body = Memory::of(noise(70 * MIB));
    send(&world, 70 * MIB, &mut body).await.unwrap();
    assert_eq!(calls(&world), [1, 6, 4]);
    let starts = [0, 16, 32, 48, 64].map(|it| it * MIB as u64);
    assert_eq!(body.opened, starts);
    world.close().await;
}

#[tokio::test]
async fn without_progress_patience_ends() {
    let world = world().await;
    world
        .control
        .fault(Fault::on(CHUNK, Effect::DropUpload { after: 1 }));
    let error = refused(send(&world, 5 * MIB, &mut Memory::of(noise(5 * MIB))).await);
    assert!(matches!(error, PhotoError::Unavailable(_)), "{error}");
    assert_eq!(calls(&world), [1, 4, 3]);
    world.close().await;
}

#[tokio::test]
async fn a_session_that_ended_without_a_token_is_begun_anew() {
    let world = world().await;
    let lost = Fault::on(CHUNK, Effect::DropAfter).skip(1).times(1);
    world.control.fault(lost);
    let bytes = noise(3 * MIB);
    let mut body = Memory::of(bytes.clone());
    let token = send(&world, 3 * MIB, &mut body).await.unwrap();
    assert_eq!(calls(&world), [2, 4, 1]);
    assert_eq!(body.opened, [0, 0]);
    assert!(bytes_behind(&world, token).await == bytes);
    world.close().await;
}

#[tokio::test]
async fn a_session_that_google_does_not_know_is_begun_anew() {
    let broken = Fault::on(CHUNK, Effect::DropUpload { after: 1 }).times(1);
    let asked = Fault::on(CallKind::UploadQuery, status(404)).times(1);
    // The last piece is small enough to be sent before the answer comes.
    let finished = Fault::on(CHUNK, status(404)).skip(1).times(1);
    for (faults, expected) in [
        (vec![broken, asked], [2, 3, 1]),
        (vec![finished], [2, 4, 0]),
    ] {
        let world = world().await;
        for fault in faults {
            world.control.fault(fault);
        }
        let bytes = noise(MIB + 1);
        let token = send(&world, MIB + 1, &mut Memory::of(bytes.clone())).await;
        assert_eq!(calls(&world), expected);
        assert!(bytes_behind(&world, token.unwrap()).await == bytes);
        world.close().await;
    }
}

/// Each session takes much of the file, breaks once, and ends without a token.
#[tokio::test]
async fn sessions_that_end_again_and_again_are_not_begun_for_ever() {
    let world = world().await;
    let after = (16 * MIB) as u64;
    let faults = [
        Fault::on(CHUNK, Effect::DropUpload { after }),
        Fault::on(CHUNK, Effect::DropAfter).skip(1),
        Fault::on(CHUNK, Effect::DropUpload { after }).skip(1),
        Fault::on(CHUNK, Effect::DropAfter).skip(2),
    ];
    for fault in faults {
        world.control.fault(fault.times(1));
    }
    let error = refused(send(&world, 20 * MIB, &mut Memory::of(noise(20 * MIB))).await);
    assert!(matches!(error, PhotoError::Unavailable(_)), "{error}");
    assert_eq!(calls(&world), [2, 6, 3]);
    world.close().await;
}

#[tokio::test]
async fn bytes_that_changed_while_they_were_sent_are_refused() {
    let world = world().await;
    let after = (2 * MIB + 1) as u64;
    world
        .control
        .fault(Fault::on(CHUNK, Effect::DropUpload { after }).times(1));
    let mut changed = noise(4 * MIB);
    changed[2 * MIB] ^= 1;
    let mut body = Memory::of(noise(4 * MIB)).then(changed);
    let error = refused(send(&world, 4 * MIB, &mut body).await);
    assert!(
        matches!(&error, PhotoError::Rejected(text) if text.contains("Checksum mismatch")),
        "{error}"
    );
    assert_eq!(calls(&world), [1, 3, 1], "it is not sent again");
    world.close().await;
}

#[tokio::test]
async fn a_body_that_is_shorter_or_breaks_is_the_bodys_fault() {
    for (length, breaks_at) in [(2 * MIB, None), (4 * MIB, Some(MIB)), (4 * MIB, Some(0))] {
        let world = world().await;
        let mut body = Memory::of(noise(length));
        body.breaks_at = breaks_at;
        let sent = send(&world, 4 * MIB, &mut body).await;
        assert!(matches!(sent, Err(SendError::Body(_))), "{sent:?}");
        assert_eq!(body.opened, [0], "it is not read again");
        assert_eq!(world.control.calls(CallKind::UploadStart), 1);
        assert_eq!(world.gate.traffic(), [Traffic::Call], "google did nothing");
        world.emulator.shutdown().await;
    }
}

#[tokio::test]
async fn a_body_that_is_longer_is_never_finished() {
    let world = world().await;
    let sent = send(&world, 4 * MIB, &mut Memory::of(noise(4 * MIB + 1))).await;
    assert!(matches!(sent, Err(SendError::Body(_))), "{sent:?}");
    assert_eq!(calls(&world), [1, 1, 0]);
    world.close().await;
}

#[tokio::test]
async fn a_refused_access_token_is_replaced_for_each_request() {
    let world = world().await;
    world.control.expire_access_tokens();
    // The last piece: it is small enough to be sent before the answer comes.
    world
        .control
        .fault(Fault::on(CHUNK, status(401)).skip(1).times(1));
    let bytes = noise(MIB + 1);
    let token = send(&world, MIB + 1, &mut Memory::of(bytes.clone())).await;
    assert_eq!(calls(&world), [2, 3, 0]);
    assert_eq!(world.gate.renewed.load(Ordering::Relaxed), 2);
    assert!(bytes_behind(&world, token.unwrap()).await == bytes);
    world.close().await;
}

#[tokio::test]
async fn every_request_asks_the_gate() {
    for limit in 0..3 {
        let world = World::tuned(Library::Empty, |_, gate| gate.limit = Some(limit)).await;
        let error = refused(send(&world, MIB + 1, &mut Memory::of(noise(MIB + 1))).await);
        assert!(
            matches!(error, PhotoError::QuotaExhausted { .. }),
            "{error}"
        );
        assert_eq!(calls(&world).iter().sum::<u64>(), limit as u64);
        world.close().await;
    }
}

#[tokio::test]
async fn without_the_scope_or_bytes_nothing_begins() {
    let world = World::tuned(Library::Empty, |_, gate| gate.scopes = Some(SCOPE_READ)).await;
    let error = refused(send(&world, 0, &mut Memory::of(Vec::new())).await);
    assert!(
        matches!(&error, PhotoError::Rejected(text) if text.contains("non-empty")),
        "{error}"
    );
    world.control.expire_access_tokens();
    let mut body = Memory::of(noise(MIB));
    let error = refused(send(&world, MIB, &mut body).await);
    assert!(
        matches!(error, PhotoError::Forbidden(Forbidden::ScopeMissing)),
        "{error}"
    );
    assert!(body.opened.is_empty());
    assert_eq!(world.control.items(DEFAULT_ACCOUNT, 1).unwrap().len(), 0);
    world.close().await;
}
