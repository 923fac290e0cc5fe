//! The intercepting proxy: CONNECT to one of Google's hosts ends here, to any other is refused.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::call::Link;
use super::connection::{Shared, secure};
use super::tls::Authority;
use crate::kind::CallKind;
use crate::ledger::Entry;

/// The hosts whose TLS is terminated.
const HOSTS: [&str; 8] = [
    "photoslibrary.googleapis.com",
    "photospicker.googleapis.com",
    "oauth2.googleapis.com",
    "accounts.google.com",
    "www.googleapis.com",
    "openidconnect.googleapis.com",
    "lh3.googleusercontent.com",
    "photos.google.com",
];
const HEAD_LIMIT: usize = 8 * 1024;
const HEAD_TIME: Duration = Duration::from_secs(10);

/// Handles one connection to the proxy.
pub(crate) async fn tunnel(
    mut stream: TcpStream,
    shared: Shared,
    authority: Arc<Authority>,
    http2: bool,
) {
    let Ok(Some(head)) = tokio::time::timeout(HEAD_TIME, read_head(&mut stream)).await else {
        return;
    };
    let target = head
        .strip_prefix("CONNECT ")
        .and_then(|rest| rest.split(' ').next());
    let host = target.and_then(|target| target.strip_suffix(":443"));
    let Some(host) = host.filter(|host| HOSTS.contains(host)) else {
        record(&shared, 403);
        let refusal = "HTTP/1.1 403 Forbidden\r\nContent-Length: 49\r\nConnection: close\r\n\r\n\
                       this proxy only reaches Google's hosts, emulated\n";
        let _sent = stream.write_all(refusal.as_bytes()).await;
        return;
    };
    let config = match authority.config(&[host], http2) {
        Ok(config) => config,
        Err(error) => {
            tracing::error!(%error, "cannot make a certificate");
            return;
        }
    };
    record(&shared, 200);
    if stream
        .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .await
        .is_err()
    {
        return;
    }
    let link = Link {
        scheme: "https",
        google_host: Some(host.to_owned()),
        authority: host.to_owned(),
    };
    secure(stream, config, shared, link).await;
}

/// The request head up to its empty line. A client sends nothing after it before it is answered.
async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::with_capacity(512);
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= HEAD_LIMIT || stream.read_buf(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    String::from_utf8(head).ok()
}

fn record(shared: &Shared, status: u16) {
    shared.world.ledger.record(Entry {
        number: 0,
        at_ms: shared.world.clock.now_ms(),
        kind: CallKind::Connect,
        status,
        account: None,
        client: None,
        item: None,
        bytes: 0,
        range_start: None,
        items: 0,
    });
}
