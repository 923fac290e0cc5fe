//! Each class of error of the Library API, and how many attempts it is worth.

use std::{sync::atomic::Ordering, time::Duration};

use tintype_emulator::{
    CallKind, DEFAULT_ACCOUNT, DayUse, Effect, Fault, Generated, Library, SCOPE_APPEND,
};
use tintype_model::{ErrorKind, quota::QuotaKind};
use tintype_ports::photos::{AttemptOutcome, Forbidden, PhotoError, Scope};

use crate::world::{LIBRARY, World, day_ends};

fn status(code: u16) -> Effect {
    Effect::Status {
        code,
        message: None,
        retry_after: None,
    }
}

fn saying(code: u16, message: &str) -> Effect {
    Effect::Status {
        code,
        message: Some(message.to_owned()),
        retry_after: None,
    }
}

async fn listing_under(effect: Effect) -> (PhotoError, World) {
    let world = World::with_photos(3).await;
    world.control.fault(Fault::on(CallKind::Search, effect));
    let error = world.source.list(&LIBRARY, None).await.unwrap_err();
    (error, world)
}

#[tokio::test]
async fn passing_trouble_is_healed_by_repeating() {
    let effects = [
        status(500),
        status(503),
        Effect::DropBefore,
        Effect::DropAfter,
        Effect::MalformedJson,
        Effect::Html,
        Effect::Empty,
        Effect::Truncate { at: 0.5 },
    ];
    for effect in effects {
        let world = World::with_photos(3).await;
        world
            .control
            .fault(Fault::on(CallKind::Search, effect.clone()).times(2));
        let page = world.source.list(&LIBRARY, None).await.unwrap();
        assert_eq!(page.entries.len(), 3, "{effect:?}");
        let expected = [
            AttemptOutcome::Failed,
            AttemptOutcome::Failed,
            AttemptOutcome::Answered,
        ];
        assert_eq!(world.gate.outcomes(), expected, "{effect:?}");
        world.close().await;
    }
}

#[tokio::test]
async fn trouble_that_does_not_pass_ends_after_the_retries() {
    for effect in [status(500), Effect::DropBefore, Effect::MalformedJson] {
        let (error, world) = listing_under(effect.clone()).await;
        assert!(
            matches!(error, PhotoError::Unavailable(_)),
            "{effect:?}: {error}"
        );
        assert_eq!(world.gate.admits(), 4, "{effect:?}");
        world.close().await;
    }
}

#[tokio::test]
async fn an_answer_later_than_the_deadline_is_passing_trouble() {
    let library = Library::Generated(Generated::photos(3, 1024));
    let world = World::tuned(library, |settings, _| {
        settings.deadlines.call = Duration::from_millis(300);
    })
    .await;
    world
        .control
        .fault(Fault::on(CallKind::Search, Effect::Delay { ms: 3000 }).times(1));
    assert_eq!(
        world
            .source
            .list(&LIBRARY, None)
            .await
            .unwrap()
            .entries
            .len(),
        3
    );
    assert_eq!(
        world.gate.outcomes(),
        [AttemptOutcome::Failed, AttemptOutcome::Answered]
    );
    world.emulator.shutdown().await;
}

#[tokio::test]
async fn a_429_that_is_not_about_the_day_is_waited_out() {
    for effect in [Effect::QuotaMinute, Effect::WriteLock, status(429)] {
        let (error, world) = listing_under(effect.clone()).await;
        assert!(
            matches!(error, PhotoError::Unavailable(_)),
            "{effect:?}: {error}"
        );
        assert_eq!(
            world.gate.outcomes(),
            [AttemptOutcome::Throttled; 3],
            "{effect:?}"
        );
        assert!(world.gate.exhausted.lock().unwrap().is_empty());
        world.close().await;
    }
}

#[tokio::test]
async fn a_429_about_the_day_ends_the_day_at_once() {
    let world = World::with_photos(3).await;
    let project = "123456789012";
    world.control.set_quota_used(
        project,
        DayUse {
            calls: 10_000,
            ..DayUse::default()
        },
    );
    let error = world.source.list(&LIBRARY, None).await.unwrap_err();
    assert!(matches!(error, PhotoError::QuotaExhausted { resumes_at } if resumes_at == day_ends()));
    assert_eq!(*world.gate.exhausted.lock().unwrap(), [QuotaKind::Request]);
    assert_eq!(world.gate.outcomes(), [AttemptOutcome::Answered]);
    world.close().await;
}

#[tokio::test]
async fn without_admission_there_is_no_call() {
    let library = Library::Generated(Generated::photos(3, 1024));
    let world = World::tuned(library, |_, gate| gate.limit = Some(2)).await;
    world
        .control
        .fault(Fault::on(CallKind::Search, status(500)));
    let error = world.source.list(&LIBRARY, None).await.unwrap_err();
    assert!(matches!(error, PhotoError::QuotaExhausted { resumes_at } if resumes_at == day_ends()));
    assert_eq!(world.control.calls(CallKind::Search), 2);
    world.close().await;
}

#[tokio::test]
async fn an_expired_access_token_is_replaced_once() {
    let world = World::with_photos(3).await;
    world.control.expire_access_tokens();
    assert_eq!(
        world
            .source
            .list(&LIBRARY, None)
            .await
            .unwrap()
            .entries
            .len(),
        3
    );
    assert_eq!(
        (
            world.gate.renewed.load(Ordering::Relaxed),
            world.gate.admits()
        ),
        (1, 2)
    );
    world.close().await;
}

#[tokio::test]
async fn a_second_401_is_the_end_of_the_credential() {
    let library = Library::Generated(Generated::photos(3, 1024));
    let world = World::tuned(library, |_, gate| gate.stubborn = true).await;
    world.control.expire_access_tokens();
    let error = world.source.list(&LIBRARY, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AuthLost);
    assert_eq!(
        (
            world.gate.renewed.load(Ordering::Relaxed),
            world.gate.admits()
        ),
        (1, 2)
    );
    world.close().await;
}

#[tokio::test]
async fn a_vault_that_refuses_is_the_end_of_the_credential() {
    let library = Library::Generated(Generated::photos(3, 1024));
    let world = World::tuned(library, |_, gate| gate.vault_refuses = true).await;
    let error = world.source.list(&LIBRARY, None).await.unwrap_err();
    assert!(matches!(error, PhotoError::Refused(why) if why.reason == "revoked"));
    assert_eq!(world.control.calls(CallKind::Search), 0);
    world.emulator.shutdown().await;
}

#[tokio::test]
async fn what_is_forbidden_says_what_to_do() {
    let world = World::with_photos(3).await;
    let forbidden = async |expected: &str| match world.source.list(&LIBRARY, None).await {
        Err(PhotoError::Forbidden(why)) => {
            let text = why.to_string();
            assert!(text.contains(expected), "{text}");
        }
        other => panic!("{other:?}"),
    };
    world.control.set(|it| it.api_disabled = true);
    forbidden("in cloud project 123456789012: enable it").await;
    world.control.set(|it| {
        it.api_disabled = false;
        it.photos_disabled = true;
    });
    forbidden("switched off for this account").await;
    assert_eq!(world.gate.admits(), 2, "no 403 is worth a second attempt");
    world.close().await;
}

#[tokio::test]
async fn a_missing_scope_asks_for_a_new_sign_in() {
    let world = World::tuned(Library::Sample, |_, gate| gate.scopes = Some(SCOPE_APPEND)).await;
    world.control.expire_access_tokens();
    let error = world.source.list(&LIBRARY, None).await.unwrap_err();
    assert!(
        matches!(&error, PhotoError::Forbidden(Forbidden::ScopeMissing)),
        "{error}"
    );
    world.close().await;
}

#[tokio::test]
async fn an_unknown_album_is_not_found_and_a_bad_page_token_means_begin_again() {
    let world = World::with_photos(3).await;
    let album = Scope::Album(
        "no-such-album-no-such-album-no-such-album-no-such-album"
            .parse()
            .unwrap(),
    );
    let unknown = world.source.list(&album, None).await.unwrap_err();
    assert!(matches!(unknown, PhotoError::ItemNotFound), "{unknown}");
    let stale = world
        .source
        .list(&LIBRARY, Some("stale"))
        .await
        .unwrap_err();
    assert!(matches!(stale, PhotoError::PageTokenExpired), "{stale}");
    let stale = world.source.albums(Some("stale")).await.unwrap_err();
    assert!(matches!(stale, PhotoError::PageTokenExpired), "{stale}");
    world.close().await;
}

#[tokio::test]
async fn other_refusals_are_told_apart_and_not_repeated() {
    let full =
        "The remaining storage in the user's account is not enough to perform this operation.";
    let (error, world) = listing_under(saying(400, full)).await;
    assert!(matches!(error, PhotoError::StorageFull), "{error}");
    world.close().await;
    let (error, world) = listing_under(saying(400, "pageSize is too large")).await;
    assert!(
        matches!(&error, PhotoError::Rejected(text) if text.contains("pageSize")),
        "{error}"
    );
    assert_eq!(world.gate.admits(), 1);
    world.close().await;
}

#[tokio::test]
async fn an_account_is_named_in_no_error() {
    let (error, world) = listing_under(status(500)).await;
    let shown = format!("{error:?} {error}");
    assert!(
        !shown.contains(DEFAULT_ACCOUNT) && !shown.contains(&world.emulator.grant().access_token)
    );
    world.close().await;
}
