//! Connections to addresses that somebody else chose: to the public internet alone, unless the operator allows more.
//!
//! A name is looked at when it is resolved, and what it resolves to is what is connected to, so that a name cannot change in
//! between. An address that is written as one is never resolved: it is looked at in each request's URL.

use std::{error::Error, net::SocketAddr};

use reqwest::{
    Client,
    dns::{Addrs, Name, Resolve, Resolving},
};
use tintype_model::address;
use url::{Host, Url};

/// The host is no machine of the public internet, and the operator allows no other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} is an address of this machine or of a private network, which the operator does not allow"
)]
pub struct InsideAddress(String);

impl InsideAddress {
    /// Looks for one among the causes of an error.
    #[must_use]
    pub fn within<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            cause = error.source();
        }
        None
    }
}

/// Whether a host, as it is written in a URL, is of this machine or of a private network. The parser of URLs has turned all
/// spellings of an address into one.
#[must_use]
pub fn is_inside(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(v4) => address::is_inside((*v4).into()),
        Host::Ipv6(v6) => address::is_inside((*v6).into()),
        Host::Domain(name) => address::is_inside_name(name),
    }
}

/// A client for addresses that a tenant chose. Each URL is shown to [`check`](Self::check) before it is called.
#[derive(Debug, Clone)]
pub struct GuardedClient {
    client: Client,
    private_addresses: bool,
}

impl GuardedClient {
    pub(super) const fn new(client: Client, private_addresses: bool) -> Self {
        Self {
            client,
            private_addresses,
        }
    }

    /// The client, which looks at what names resolve to.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Looks at the host as it is written.
    ///
    /// # Errors
    /// When it is none of the public internet and the operator allows no other.
    pub fn check(&self, url: &Url) -> Result<(), InsideAddress> {
        match url.host() {
            Some(host) if !self.private_addresses && is_inside(&host) => {
                Err(InsideAddress(host.to_string()))
            }
            _ => Ok(()),
        }
    }
}

/// Resolves names to addresses of the public internet, and to no others.
pub(super) struct Outside {
    /// The operator's proxy may stand inside.
    proxy: Option<String>,
}

impl Outside {
    pub(super) fn but_for(proxy: Option<&Url>) -> Self {
        let proxy = proxy.and_then(|url| url.host_str().map(str::to_owned));
        Self { proxy }
    }
}

impl Resolve for Outside {
    fn resolve(&self, name: Name) -> Resolving {
        let is_proxy = self.proxy.as_deref() == Some(name.as_str());
        Box::pin(async move {
            let host = name.as_str();
            let found = tokio::net::lookup_host((host, 0)).await?;
            let (inside, outside): (Vec<SocketAddr>, Vec<SocketAddr>) =
                found.partition(|it| !is_proxy && address::is_inside(it.ip()));
            if outside.is_empty() && !inside.is_empty() {
                return Err(InsideAddress(host.to_owned()).into());
            }
            Ok(Box::new(outside.into_iter()) as Addrs)
        })
    }
}

/// A `socks5` proxy is given addresses that we resolved, without asking [`Outside`]; as `socks5h` it resolves them itself.
pub(super) fn resolving_itself(proxy: &Url) -> Url {
    let mut proxy = proxy.clone();
    if proxy.scheme() == "socks5" {
        // Cannot fail: neither is one of the schemes with rules of their own.
        let _ = proxy.set_scheme("socks5h");
    }
    proxy
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::HttpSettings;

    /// What a call comes to; nothing listens on the discard port.
    async fn refused(settings: &HttpSettings, url: &str) -> Option<InsideAddress> {
        let guarded = settings.guarded(false).unwrap();
        let url = Url::parse(url).unwrap();
        if let Err(error) = guarded.check(&url) {
            return Some(error);
        }
        let error = guarded.client().get(url).send().await.unwrap_err();
        InsideAddress::within(&error).cloned()
    }

    #[tokio::test]
    async fn a_name_that_resolves_inside_is_refused_when_it_is_resolved() {
        let guarded = HttpSettings::default().guarded(false).unwrap();
        // `localhost` as a name of the outside world would be: nobody looked at how it is written.
        let called = guarded.client().get("https://localhost:9/").send().await;
        let error = called.unwrap_err();
        let inside = InsideAddress::within(&error).expect("the resolver lets it through");
        assert_eq!(inside, &InsideAddress("localhost".to_owned()));
    }

    #[tokio::test]
    async fn an_address_is_refused_before_the_call() {
        for url in [
            "https://127.0.0.1:9/",
            "https://[::1]:9/",
            "https://2130706433:9/",
        ] {
            assert!(
                refused(&HttpSettings::default(), url).await.is_some(),
                "{url}"
            );
        }
    }

    #[tokio::test]
    async fn the_operators_proxy_may_be_inside_and_serves_all_hosts() {
        let settings = HttpSettings {
            proxy: Some(Url::parse("http://localhost:9").unwrap()),
            no_proxy: Some("*".to_owned()),
            ..HttpSettings::default()
        };
        let error = settings.guarded(false).unwrap();
        let called = error.client().get("https://s3.example.com/").send().await;
        let error = called.unwrap_err();
        // It was the proxy that was called, and that nobody listens there is all that is wrong.
        assert!(error.is_connect() && InsideAddress::within(&error).is_none());
        assert_eq!(
            resolving_itself(&Url::parse("socks5://p:1").unwrap()).scheme(),
            "socks5h"
        );
    }

    #[tokio::test]
    async fn plain_http_is_for_those_who_may_reach_neighbours() {
        let guarded = HttpSettings::default().guarded(false).unwrap();
        let called = guarded.client().get("http://s3.example.com/").send().await;
        assert!(called.unwrap_err().is_builder());
        let trusted = HttpSettings::default().guarded(true).unwrap();
        let called = trusted.client().get("http://127.0.0.1:9/").send().await;
        assert!(called.unwrap_err().is_connect());
    }
}
