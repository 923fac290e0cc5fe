//! Connections: TLS with a certificate of our trust domain, or none; never more than fit.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use rustls::ServerConfig;
use tintype_runtime::mtls::{Reloading, SpiffeId, identity_of};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::Connected;

use crate::settings::Limits;

/// Connections that are made but not served yet.
const WAITING: usize = 64;
/// After a failure to accept, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// Who calls.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) identity: SpiffeId,
}

/// One connection of a caller who is known.
pub(crate) struct Connection {
    stream: TlsStream<TcpStream>,
    peer: Peer,
    /// Breaks the connection off in the second stage of stopping.
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    _place: OwnedSemaphorePermit,
}

pub(crate) struct Listener {
    pub(crate) socket: TcpListener,
    pub(crate) certificates: Arc<Reloading<ServerConfig>>,
    pub(crate) limits: Limits,
    pub(crate) draining: CancellationToken,
    pub(crate) stopping: CancellationToken,
}

impl Listener {
    /// Connections from now on, until draining begins.
    pub(crate) fn connections(self) -> ReceiverStream<io::Result<Connection>> {
        let (sender, receiver) = mpsc::channel(WAITING);
        tokio::spawn(self.accept(sender));
        ReceiverStream::new(receiver)
    }

    async fn accept(self, sender: mpsc::Sender<io::Result<Connection>>) {
        let places = Arc::new(Semaphore::new(self.limits.connections));
        let accepting = async {
            // Ends never: nobody closes the places.
            while let Ok(place) = Arc::clone(&places).acquire_owned().await {
                match self.socket.accept().await {
                    Ok((stream, address)) => self.greet(stream, address, place, sender.clone()),
                    Err(error) => {
                        tracing::warn!(%error, "a connection cannot be accepted");
                        sleep(PAUSE).await;
                    }
                }
            }
        };
        tokio::select! {
            () = accepting => {}
            () = self.draining.cancelled() => {}
        }
    }

    /// The handshake, beside other connections.
    fn greet(
        &self,
        stream: TcpStream,
        address: SocketAddr,
        place: OwnedSemaphorePermit,
        sender: mpsc::Sender<io::Result<Connection>>,
    ) {
        let acceptor = TlsAcceptor::from(self.certificates.current());
        let limit = self.limits.handshake;
        let stopping = self.stopping.clone();
        tokio::spawn(async move {
            let greeting = timeout(limit, handshake(acceptor, stream));
            let greeted = tokio::select! {
                greeted = greeting => greeted,
                () = stopping.cancelled() => return,
            };
            let refusal = match greeted {
                Ok(Ok((stream, peer))) => {
                    let connection = Connection {
                        stream,
                        peer,
                        cut: Box::pin(stopping.cancelled_owned()),
                        _place: place,
                    };
                    // Nobody takes it any more when draining has begun.
                    let _ = sender.send(Ok(connection)).await;
                    return;
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => "the handshake took too long".to_owned(),
            };
            metrics::counter!("tintype_vault_refused_connections_total").increment(1);
            tracing::warn!(peer.address = %address, reason = refusal, "a connection is refused");
        });
    }
}

async fn handshake(
    acceptor: TlsAcceptor,
    stream: TcpStream,
) -> io::Result<(TlsStream<TcpStream>, Peer)> {
    stream.set_nodelay(true)?;
    let stream = acceptor.accept(stream).await?;
    let certificates = stream.get_ref().1.peer_certificates();
    let leaf = certificates.and_then(<[_]>::first);
    let leaf = leaf.ok_or_else(|| io::Error::other("the caller shows no certificate"))?;
    let identity = identity_of(leaf).map_err(io::Error::other)?;
    Ok((stream, Peer { identity }))
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl Connection {
    fn is_cut(&mut self, context: &mut Context<'_>) -> bool {
        self.cut.as_mut().poll(context).is_ready()
    }
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the vault is stopping")
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // A connection is always waited on for reading, so this is where the cut wakes it.
        if self.is_cut(context) {
            return Poll::Ready(Err(broken()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
