//! Listeners and connections: accept, serve until the peer or a shutdown ends it.

use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::call::Link;
use super::serve::serve;
use crate::state::World;

/// A TLS handshake must be done by then.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Calls under way at a shutdown may take so long to finish.
const GRACE: Duration = Duration::from_secs(1);

/// What every connection shares.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) world: Arc<World>,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

/// Accepts until the shutdown; each connection becomes a task of `handle`.
pub(crate) async fn accept<F, R>(listener: TcpListener, shared: Shared, handle: F)
where
    F: Fn(TcpStream, Shared) -> R,
    R: Future<Output = ()> + Send + 'static,
{
    loop {
        let accepted = tokio::select! {
            () = shared.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                // Small answers must not wait for more.
                if stream.set_nodelay(true).is_ok() {
                    shared.tasks.spawn(handle(stream, shared.clone()));
                }
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Terminates TLS, then serves.
pub(crate) async fn secure<S>(stream: S, config: Arc<ServerConfig>, shared: Shared, link: Link)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let handshake = TlsAcceptor::from(config).accept(stream);
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, handshake).await else {
        return;
    };
    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    if is_http2 {
        serve_http2(stream, shared, link).await;
    } else {
        plain(stream, shared, link).await;
    }
}

/// Serves HTTP/1.1 on a stream.
pub(crate) async fn plain<S>(stream: S, shared: Shared, link: Link)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    const BUFFER: usize = 512 * 1024;
    let world = Arc::clone(&shared.world);
    let service = service_fn(move |request| serve(Arc::clone(&world), link.clone(), request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .max_buf_size(BUFFER)
        .writev(true)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    // An error here is a client that went away, or a connection dropped on purpose.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = shared.stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    let _ended = tokio::time::timeout(GRACE, connection).await;
}

async fn serve_http2<S>(stream: S, shared: Shared, link: Link)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    const WINDOW: u32 = 4 * 1024 * 1024;
    let world = Arc::clone(&shared.world);
    let service = service_fn(move |request| serve(Arc::clone(&world), link.clone(), request));
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        () = shared.stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    let _ended = tokio::time::timeout(GRACE, connection).await;
}
