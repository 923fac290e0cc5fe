//! The proxy makes the weather that it is told to make.

use std::{io::ErrorKind, time::Duration};

use tintype_testkit::chaos::{ChaosProxy, Direction, Weather};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::{Instant, timeout},
};

const PATIENCE: Duration = Duration::from_secs(30);
/// Nothing comes within this time when nothing is to come.
const SILENCE: Duration = Duration::from_millis(200);

/// A server that sends back what it gets, and a proxy in front of it.
async fn echo() -> ChaosProxy {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let target = listener.local_addr().expect("an address").to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut reader, mut writer) = stream.split();
                let _ = tokio::io::copy(&mut reader, &mut writer).await;
            });
        }
    });
    ChaosProxy::start(target).await
}

async fn open(proxy: &ChaosProxy) -> TcpStream {
    TcpStream::connect(proxy.address())
        .await
        .expect("a connection")
}

/// Sends `bytes` and waits for all of them to come back.
async fn exchange(stream: &mut TcpStream, bytes: &[u8]) -> Result<(), ErrorKind> {
    let (mut reader, mut writer) = stream.split();
    let mut answer = vec![0; bytes.len()];
    let talk = async {
        tokio::try_join!(writer.write_all(bytes), reader.read_exact(&mut answer)).map(drop)
    };
    match timeout(PATIENCE, talk).await {
        Ok(Ok(())) => {
            assert!(answer == bytes, "bytes were changed");
            Ok(())
        }
        Ok(Err(error)) => Err(error.kind()),
        Err(_) => panic!("nothing came"),
    }
}

async fn is_silent(stream: &mut TcpStream) -> bool {
    timeout(SILENCE, stream.read_u8()).await.is_err()
}

#[tokio::test]
async fn calm_passes_everything_on_and_ends_with_either_side() {
    let proxy = echo().await;
    let mut stream = open(&proxy).await;
    let bytes: Vec<u8> = (0..1_000_000_u32).map(|it| it.to_le_bytes()[0]).collect();
    exchange(&mut stream, &bytes).await.expect("an echo");
    stream.shutdown().await.expect("an end");
    let ended = timeout(PATIENCE, stream.read_u8()).await.expect("an end");
    assert_eq!(ended.map_err(|it| it.kind()), Err(ErrorKind::UnexpectedEof));
    let counts = proxy.counts();
    assert_eq!((counts.accepted, counts.reset, counts.lost), (1, 0, 0));
    assert_eq!(counts.bytes_to_server, 1_000_000);
    assert_eq!(counts.bytes_to_client, 1_000_000);
}

#[tokio::test]
async fn latency_is_added_each_way_and_bytes_keep_their_order() {
    let proxy = echo().await;
    let mut stream = open(&proxy).await;
    let slow = Weather {
        latency: Duration::from_millis(50),
        jitter: Duration::from_millis(50),
        ..Weather::default()
    };
    proxy.set_both(slow);
    let started = Instant::now();
    let bytes: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    exchange(&mut stream, &bytes).await.expect("an echo");
    assert!(started.elapsed() >= Duration::from_millis(100));

    // One way only, from now on.
    proxy.set(Direction::ToServer, Weather::default());
    let started = Instant::now();
    exchange(&mut stream, b"hello").await.expect("an echo");
    assert!(started.elapsed() >= Duration::from_millis(50));
}

#[tokio::test]
async fn little_bandwidth_takes_time() {
    let proxy = echo().await;
    let mut stream = open(&proxy).await;
    let narrow = Weather {
        bytes_per_second: Some(20_000),
        ..Weather::default()
    };
    proxy.set(Direction::ToClient, narrow);
    let started = Instant::now();
    exchange(&mut stream, &[7; 10_000]).await.expect("an echo");
    assert!(started.elapsed() >= Duration::from_millis(400));
}

#[tokio::test]
async fn a_lost_segment_stalls_and_arrives_all_the_same() {
    let proxy = echo().await;
    let mut stream = open(&proxy).await;
    let lossy = Weather {
        loss: 1.0,
        retransmission: Duration::from_millis(200),
        ..Weather::default()
    };
    proxy.set(Direction::ToServer, lossy);
    let started = Instant::now();
    exchange(&mut stream, b"hello").await.expect("an echo");
    assert!(started.elapsed() >= Duration::from_millis(200));
    assert_eq!(proxy.counts().lost, 1);
}

#[tokio::test]
async fn a_reset_ends_open_connections_and_new_ones_work() {
    let proxy = echo().await;
    let mut stream = open(&proxy).await;
    exchange(&mut stream, b"hello").await.expect("an echo");
    proxy.reset_all();
    let error = exchange(&mut stream, b"hello").await;
    assert_eq!(error, Err(ErrorKind::ConnectionReset));
    assert_eq!(proxy.counts().reset, 1);
    exchange(&mut open(&proxy).await, b"hello")
        .await
        .expect("an echo");
}

#[tokio::test]
async fn a_half_open_connection_is_silent_and_is_reset_when_it_has_lost_bytes() {
    let proxy = echo().await;
    let mut stream = open(&proxy).await;
    exchange(&mut stream, b"hello").await.expect("an echo");
    proxy.half_open();
    stream.write_all(b"lost").await.expect("a write");
    assert!(is_silent(&mut stream).await);
    // A new one is accepted, and as silent.
    let mut other = open(&proxy).await;
    other.write_all(b"lost").await.expect("a write");
    assert!(is_silent(&mut other).await);
    assert_eq!(proxy.counts().swallowed, 8);

    proxy.calm();
    for mut lost in [stream, other] {
        let ended = timeout(PATIENCE, lost.read_u8()).await.expect("an end");
        assert_eq!(
            ended.map_err(|it| it.kind()),
            Err(ErrorKind::ConnectionReset)
        );
    }
    exchange(&mut open(&proxy).await, b"hello")
        .await
        .expect("an echo");
}

#[tokio::test]
async fn refused_connections_are_reset_and_open_ones_stay() {
    let proxy = echo().await;
    let mut stream = open(&proxy).await;
    exchange(&mut stream, b"hello").await.expect("an echo");
    proxy.refuse(true);
    // The reset may be seen while connecting or right after it.
    let refused = match TcpStream::connect(proxy.address()).await {
        Ok(mut stream) => timeout(PATIENCE, stream.read_u8()).await.expect("an end"),
        Err(error) => Err(error),
    };
    assert!(refused.is_err());
    assert_eq!(proxy.counts().refused, 1);
    exchange(&mut stream, b"hello").await.expect("an echo");
    proxy.calm();
    exchange(&mut open(&proxy).await, b"hello")
        .await
        .expect("an echo");
}
