//! The requests of object stores, each looked at before it is sent: see [`GuardedClient`].

use http::{Request, Response};
use opendal::{Buffer, Error, ErrorKind, HttpBody, HttpTransport};
use opendal_http_transport_reqwest::ReqwestTransport;
use tintype_runtime::http::{GuardedClient, InsideAddress};
use url::Url;

pub(crate) struct GuardedTransport {
    guard: GuardedClient,
    transport: ReqwestTransport,
}

impl GuardedTransport {
    pub(crate) fn new(guard: GuardedClient) -> Self {
        let transport = ReqwestTransport::new(guard.client().clone());
        Self { guard, transport }
    }
}

impl HttpTransport for GuardedTransport {
    async fn fetch(&self, request: Request<Buffer>) -> opendal::Result<Response<HttpBody>> {
        let url = Url::parse(&request.uri().to_string()).map_err(|error| {
            Error::new(ErrorKind::ConfigInvalid, "the endpoint makes no URL").set_source(error)
        })?;
        self.guard.check(&url).map_err(|inside| refused(&inside))?;
        let answer = self.transport.fetch(request).await;
        answer.map_err(|error| InsideAddress::within(&error).map(refused).unwrap_or(error))
    }
}

/// Lasting: trying again helps nobody, and would tell a tenant about our network by how long it takes.
fn refused(inside: &InsideAddress) -> Error {
    Error::new(ErrorKind::ConfigInvalid, inside.to_string())
}
