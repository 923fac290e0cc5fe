//! One writer an account, whoever asks.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use chrono::DateTime;
use futures::future::join_all;
use tintype_app::AppError;
use tintype_emulator::{Generated, Library};
use tintype_model::StorageId;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::world::World;

const ACCOUNT: [u8; 10] = [1; 10];

fn account(bytes: [u8; 10]) -> StorageId {
    StorageId::new(DateTime::UNIX_EPOCH, bytes)
}

async fn world() -> World {
    let library = Library::Generated(Generated::photos(1, 1_000));
    World::with_settings(library, |settings| settings.lease = Duration::from_secs(3)).await
}

#[tokio::test]
async fn of_many_who_want_to_write_one_writes_at_a_time() {
    let (world, stop) = (world().await, CancellationToken::new());
    let writing = AtomicU32::new(0);
    let write = async || {
        assert_eq!(writing.fetch_add(1, Ordering::SeqCst), 0, "two at once");
        sleep(Duration::from_millis(20)).await;
        writing.fetch_sub(1, Ordering::SeqCst);
        Ok::<_, AppError>(7)
    };
    let all = (0..5).map(|_| world.app().as_only_writer(account(ACCOUNT), &stop, write()));
    for end in join_all(all).await {
        assert_eq!(end.expect("no trouble"), Some(7));
    }
}

#[tokio::test]
async fn another_account_does_not_wait_and_a_stop_ends_the_wait() {
    let (world, stop) = (world().await, CancellationToken::new());
    let app = world.app();
    let for_ever = app.as_only_writer(
        account(ACCOUNT),
        &stop,
        std::future::pending::<Result<(), _>>(),
    );
    let others = async {
        sleep(Duration::from_millis(100)).await;
        let other = app.as_only_writer(account([2; 10]), &stop, async { Ok(()) });
        let other = timeout(Duration::from_secs(5), other).await;
        assert_eq!(other.expect("at once").expect("no trouble"), Some(()));
        let second = CancellationToken::new();
        second.cancel();
        let late = app.as_only_writer(account(ACCOUNT), &second, async { Ok(()) });
        assert_eq!(late.await.expect("no trouble"), None);
    };
    tokio::select! {
        end = for_ever => panic!("{end:?}"),
        () = others => {}
    }
    // The one who wrote is gone without a word: its lease ends, and somebody else writes.
    let next = app.as_only_writer(account(ACCOUNT), &stop, async { Ok(()) });
    let next = timeout(Duration::from_secs(20), next).await;
    assert_eq!(
        next.expect("after its lease").expect("no trouble"),
        Some(())
    );
}
