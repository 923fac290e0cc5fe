//! The listener: connections with deadlines, and an end in order.

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, sync::Semaphore, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::steady::Steady;

/// A client that has not sent its headers by then is let go.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);
/// A client that takes nothing of what is sent to it for so long is let go.
const TAKES_WITHIN: Duration = Duration::from_secs(60);
/// Connections at the same time; beyond it callers wait in the system's queue.
const CONNECTIONS: usize = 8_192;
/// A request's line and headers together, in bytes.
const HEADER_BYTES: u32 = 32 * 1024;
/// Requests at the same time over one HTTP/2 connection.
const STREAMS: u32 = 128;
/// How often a silent HTTP/2 connection is asked whether it lives, and how long its answer may take.
const ALIVE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(20));
/// After a failed accept (out of descriptors, say).
const PAUSE: Duration = Duration::from_millis(100);

/// Answers until `drain`, then lets requests under way end, for `grace` at most.
///
/// # Errors
/// Never at present: a connection that fails is that connection's business.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    drain: CancellationToken,
    grace: Duration,
) -> io::Result<()> {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepting = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            () = drain.cancelled() => break,
            both = accepting => both,
        };
        let socket = match accepted {
            Ok((socket, _)) => Steady::new(socket, TAKES_WITHIN),
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS_WITHIN)
            .max_buf_size(HEADER_BYTES as usize);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(HEADER_BYTES)
            .keep_alive_interval(ALIVE.0)
            .keep_alive_timeout(ALIVE.1);
        let service = TowerToHyperService::new(router.clone());
        let connection = builder.serve_connection(TokioIo::new(socket), service);
        let connection = graceful.watch(connection.into_owned());
        tokio::spawn(async move {
            let _place = place;
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended");
            }
        });
    }
    drop(listener);
    if timeout(grace, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests under way were cut off");
    }
    Ok(())
}
