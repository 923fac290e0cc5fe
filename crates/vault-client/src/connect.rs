//! One connection to one address of the vault.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tintype_runtime::mtls::Reloading;
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// The vault is known by its identity; this name is not sent and not looked at.
const NAME: &str = "vault";

/// Connects with the certificates of this moment.
pub(crate) async fn connect(
    address: SocketAddr,
    certificates: &Reloading<ClientConfig>,
    limit: Duration,
) -> io::Result<TokioIo<TlsStream<TcpStream>>> {
    let connecting = async {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from(NAME).map_err(io::Error::other)?;
        let config: Arc<ClientConfig> = certificates.current();
        TlsConnector::from(config).connect(name, stream).await
    };
    match timeout(limit, connecting).await {
        Ok(connected) => connected.map(TokioIo::new),
        Err(_) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!(
                "no connection to {address} within {} s",
                limit.as_secs_f32()
            ),
        )),
    }
}
