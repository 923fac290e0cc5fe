//! Full-resolution proxies: whose turn it is, how long is waited, when one rests, and what may be reached.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures::future::join_all;
use tintype_emulator::{
    CallKind, Control, DEFAULT_ACCOUNT, Effect, Emulator, EmulatorConfig, Fault, Generated,
    Library, RunningEmulator,
};
use tintype_google::{ProxyOriginals, ProxySettings};
use tintype_model::{item::ProviderId, storage::ProxyUrl};
use tintype_ports::{
    originals::{NoTurn, OriginalError, Originals, Stretch},
    photos::Persistence,
};
use tintype_runtime::{HttpSettings, SystemEntropy};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    time::Instant,
};

const WHOLE: Stretch = Stretch::Whole { most: 1 << 20 };

fn quick() -> ProxySettings {
    ProxySettings {
        head: Duration::from_secs(3),
        silence: Duration::from_secs(3),
        test: Duration::from_millis(500),
        retry_after: Duration::from_millis(5),
        ..ProxySettings::default()
    }
}

fn originals(settings: ProxySettings, private_addresses: bool) -> ProxyOriginals {
    let client = HttpSettings::default()
        .unhurried()
        .guarded(private_addresses);
    ProxyOriginals::new(client.unwrap(), settings, Arc::new(SystemEntropy))
}

/// An emulator with its proxy, and our side of it.
struct Photos {
    _google: RunningEmulator,
    control: Control,
    proxy: ProxyUrl,
    originals: ProxyOriginals,
    ids: Vec<ProviderId>,
}

impl Photos {
    async fn new(settings: ProxySettings) -> Self {
        let library = Library::Generated(Generated::photos(8, 20_000));
        let google = Emulator::start(EmulatorConfig::with_library(library)).await;
        let google = google.unwrap();
        let control = google.control();
        let items = control.items(DEFAULT_ACCOUNT, 100).unwrap();
        Self {
            proxy: google.download_proxy_url().parse().unwrap(),
            control,
            _google: google,
            originals: originals(settings, true),
            ids: items.iter().map(|it| it.id.parse().unwrap()).collect(),
        }
    }

    async fn fetch(&self, place: usize) -> Result<Vec<u8>, String> {
        fetch(&self.originals, &self.proxy, &self.ids[place]).await
    }

    fn fault(&self, effect: Effect) {
        self.control.fault(Fault::on(CallKind::Original, effect));
    }

    fn asked(&self) -> u64 {
        self.control.calls(CallKind::Original)
    }
}

/// The bytes, judged to be the item, or the words of what went wrong.
async fn fetch(
    originals: &ProxyOriginals,
    proxy: &ProxyUrl,
    id: &ProviderId,
) -> Result<Vec<u8>, String> {
    let turn = originals.turn(proxy, Persistence::Usual).await;
    let mut turn = turn.map_err(|error| error.to_string())?;
    let told = |error: OriginalError| error.to_string();
    turn.ask(id, WHOLE).await.map_err(told)?;
    let mut bytes = Vec::new();
    while let Some(piece) = turn.next().await.map_err(told)? {
        bytes.extend_from_slice(&piece);
    }
    turn.judge(true);
    Ok(bytes)
}

fn status(code: u16) -> Effect {
    Effect::Status {
        code,
        message: None,
        retry_after: None,
    }
}

#[tokio::test]
async fn many_who_ask_at_once_are_served_one_after_the_other() {
    let photos = Photos::new(quick()).await;
    let all = join_all((0..8).map(|place| photos.fetch(place))).await;
    for (place, got) in all.into_iter().enumerate() {
        let id = photos.ids[place].as_str();
        let original = photos.control.served_bytes(id, "original").unwrap();
        assert_eq!(got.unwrap(), original.unwrap());
    }
    let statuses = &photos.control.summary().statuses[&CallKind::Original];
    assert_eq!(statuses.iter().collect::<Vec<_>>(), [(&200, &8)]);
}

#[tokio::test]
async fn the_line_is_bounded_in_length_and_in_time() {
    let photos = Photos::new(ProxySettings {
        wait: Duration::from_millis(200),
        waiting: 2,
        ..quick()
    })
    .await;
    let turn = || photos.originals.turn(&photos.proxy, Persistence::Usual);
    let held = turn().await.unwrap();
    let began = Instant::now();
    let (one, two, three) = tokio::join!(turn(), turn(), async {
        let refused = turn().await.err();
        (refused, began.elapsed())
    });
    assert_eq!(
        (one.err(), two.err()),
        (Some(NoTurn::Busy), Some(NoTurn::Busy))
    );
    assert_eq!(three.0, Some(NoTurn::Busy));
    assert!(three.1 < Duration::from_millis(150), "{:?}", three.1);
    assert!(began.elapsed() >= Duration::from_millis(200));
    drop(held);
    assert!(turn().await.is_ok());
    // Another proxy has a line of its own.
    let held = turn().await.unwrap();
    let other = "http://127.0.0.1:9".parse().unwrap();
    let of_other = photos.originals.turn(&other, Persistence::Usual).await;
    assert!(of_other.is_ok());
    drop(held);
}

#[tokio::test]
async fn it_rests_after_failures_in_a_row_and_one_download_tries_it_again() {
    let photos = Photos::new(ProxySettings {
        retries: 0,
        first_rest: Duration::from_millis(400),
        ..quick()
    })
    .await;
    photos.fault(status(404));
    for _ in 0..3 {
        let error = photos.fetch(0).await.unwrap_err();
        assert!(error.contains("does not find"), "{error}");
    }
    let resting = NoTurn::Resting.to_string();
    assert_eq!(photos.fetch(0).await.unwrap_err(), resting);
    assert_eq!(photos.asked(), 3);

    tokio::time::sleep(Duration::from_millis(450)).await;
    let trial = photos
        .originals
        .turn(&photos.proxy, Persistence::Usual)
        .await;
    let mut trial = trial.unwrap();
    // While one tries it, the others do not wait for what comes of it.
    assert_eq!(photos.fetch(1).await.unwrap_err(), resting);
    assert!(trial.ask(&photos.ids[0], WHOLE).await.is_err());
    drop(trial);
    assert_eq!(photos.fetch(1).await.unwrap_err(), resting);
    assert_eq!(photos.asked(), 4);

    photos.control.clear_faults(None);
    tokio::time::sleep(Duration::from_millis(850)).await;
    for place in 0..8 {
        assert!(photos.fetch(place).await.is_ok());
    }
}

#[tokio::test]
async fn what_may_pass_is_asked_again_a_bounded_number_of_times() {
    let photos = Photos::new(quick()).await;
    let once = Fault::on(CallKind::Original, status(503)).times(1);
    photos.control.fault(once);
    assert!(photos.fetch(0).await.is_ok());
    assert_eq!(photos.asked(), 2);
    photos.fault(status(500));
    assert!(photos.fetch(0).await.unwrap_err().contains("500"));
    assert_eq!(photos.asked(), 4);
}

#[tokio::test]
async fn nothing_is_waited_for_without_end() {
    let photos = Photos::new(ProxySettings {
        head: Duration::from_millis(300),
        silence: Duration::from_millis(300),
        ..quick()
    })
    .await;
    for (effect, expected) in [
        (Effect::Hang, "no answer within 0.3 s"),
        (
            Effect::Stall { at: 0.5 },
            "silence amid its bytes within 0.3 s",
        ),
    ] {
        photos.fault(effect);
        let error = photos.fetch(0).await.unwrap_err();
        assert!(error.contains(expected), "{error}");
        photos.control.clear_faults(None);
    }
    // One that sends a little now and then is given up as well.
    let photos = Photos::new(ProxySettings {
        body: Duration::from_millis(400),
        body_mib: Duration::ZERO,
        ..quick()
    })
    .await;
    photos.control.set(|it| it.bandwidth = Some(2_000));
    let error = photos.fetch(0).await.unwrap_err();
    assert!(
        error.contains("no end of its bytes within 0.4 s"),
        "{error}"
    );
}

#[tokio::test]
async fn a_test_asks_for_the_beginning_alone_even_of_a_proxy_that_rests() {
    let photos = Photos::new(ProxySettings {
        failures: 1,
        first_rest: Duration::from_secs(600),
        ..quick()
    })
    .await;
    photos.fault(status(500));
    assert!(photos.fetch(0).await.is_err());
    let asked = photos.asked();
    let turn = photos
        .originals
        .turn(&photos.proxy, Persistence::Once)
        .await;
    let mut turn = turn.unwrap();
    let beginning = Stretch::Beginning(1_000);
    assert!(turn.ask(&photos.ids[0], beginning).await.is_err());
    assert_eq!(photos.asked(), asked + 1, "nothing is repeated");
    photos.control.clear_faults(None);
    turn.ask(&photos.ids[0], beginning).await.unwrap();
    assert_eq!(turn.total_length(), Some(20_000));
    let mut got = 0;
    while let Some(piece) = turn.next().await.unwrap() {
        got += piece.len();
    }
    assert_eq!(got, 1_000);
    turn.judge(true);
    drop(turn);
    // It has shown that it works.
    assert!(photos.fetch(1).await.is_ok());
}

/// Answers each request with these bytes and counts them.
async fn answering(answer: &'static str) -> (ProxyUrl, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let hits = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&hits);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            let _ = stream.read(&mut [0; 2_048]).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (format!("http://{address}/dl").parse().unwrap(), hits)
}

#[tokio::test]
async fn answers_that_are_no_original_are_told_apart() {
    let id: ProviderId = "AB".parse().unwrap();
    for (answer, expected) in [
        (
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nbytes",
            "length is not told",
        ),
        ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "empty"),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 9000000\r\n\r\nx",
            "longer than 1048576 bytes",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nxxxx",
            "compressed",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 4\r\n\r\nxxxx",
            "it is text/html",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>",
            "like a web page",
        ),
        (
            "HTTP/1.1 206 Partial Content\r\ncontent-length: 1\r\n\r\nx",
            "status 206",
        ),
        (
            "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n",
            "status 403",
        ),
        ("SSH-2.0-OpenSSH\r\n", "cannot be reached"),
    ] {
        let (proxy, _) = answering(answer).await;
        let error = fetch(&originals(quick(), true), &proxy, &id)
            .await
            .unwrap_err();
        assert!(error.contains(expected), "{answer}: {error}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_addresses_inside_are_not_asked() {
    let (canary, hits) = answering("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx").await;
    let photos = Photos::new(quick()).await;
    photos.fault(Effect::Redirect {
        to: canary.to_string(),
    });
    let error = photos.fetch(0).await.unwrap_err();
    assert!(error.contains("redirects"), "{error}");

    let port = canary.as_url().port().unwrap();
    // All spellings are one address, and one proxy: each is asked by a process that has not asked it before.
    let strict = || originals(quick(), false);
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "localhost",
        "a.localhost",
        "１２７.0.0.1",
    ] {
        for scheme in ["http", "https"] {
            let proxy: ProxyUrl = format!("{scheme}://{host}:{port}").parse().unwrap();
            let error = fetch(&strict(), &proxy, &photos.ids[0]).await.unwrap_err();
            assert!(error.contains("does not allow"), "{host}: {error}");
        }
    }
    // Nothing is spoken in the clear where tenants are strangers.
    let plain: ProxyUrl = "http://photos.example".parse().unwrap();
    let error = fetch(&strict(), &plain, &photos.ids[0]).await.unwrap_err();
    assert!(error.contains("https://"), "{error}");
    assert_eq!(hits.load(Ordering::Relaxed), 0);
}
