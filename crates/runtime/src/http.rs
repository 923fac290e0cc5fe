//! The one factory of HTTP clients: authorities, proxy, deadlines and pool are the operator's settings.

mod guard;

use std::{env, fmt, fs, io, path::PathBuf, sync::Arc, time::Duration};

use reqwest::{Certificate, Client, ClientBuilder, NoProxy, Proxy, redirect, retry};
use url::Url;

pub use guard::{GuardedClient, InsideAddress, is_inside};

/// Whom a client may reach.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Anybody,
    /// The public internet, by https.
    Outside,
}

/// A certificate authority to trust beside those of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaCert {
    /// A PEM file, with one certificate or a bundle.
    File(PathBuf),
    /// The same, already read.
    Pem(String),
}

/// How outgoing connections are made.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpSettings {
    /// Authorities trusted beside those of the machine.
    pub ca_certs: Vec<CaCert>,
    /// The proxy for `https://` (`http`, `https`, `socks5` or `socks5h` URL; may carry a name and password).
    /// Plain `http://` is only spoken to neighbours and goes direct.
    pub proxy: Option<Url>,
    /// Hosts that are reached without the proxy, in the notation of `NO_PROXY`.
    pub no_proxy: Option<String>,
    /// Longest time to make a connection, TLS included.
    pub connect_timeout: Duration,
    /// Longest silence on a connection that should speak, from the start of a request on: bytes that are sent count as silence.
    /// `None` where each call has deadlines of its own.
    pub read_timeout: Option<Duration>,
    /// Idle connections kept for each host.
    pub idle_connections: usize,
    /// The `User-Agent` sent.
    pub user_agent: String,
}

/// Why there is no HTTP client.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// A CA file cannot be read.
    #[error("the CA file {} cannot be read", path.display())]
    ReadCa {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A CA file holds no certificate.
    #[error("{origin} holds no PEM certificate")]
    NoCertificate {
        /// The file, or what stands for it.
        origin: String,
    },
    /// A CA file holds something that is no certificate.
    #[error("{origin} holds a certificate that cannot be used")]
    BadCertificate {
        /// The file, or what stands for it.
        origin: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The proxy's URL does not fit. The URL is not shown: it may carry a password.
    #[error(
        "the proxy must be an http, https, socks5 or socks5h URL such as http://proxy.example:3128"
    )]
    BadProxy,
    /// The client cannot be built from these settings.
    #[error("no HTTP client can be built from these settings")]
    Build(#[source] reqwest::Error),
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            ca_certs: Vec::new(),
            proxy: None,
            no_proxy: None,
            connect_timeout: Duration::from_secs(10),
            read_timeout: Some(Duration::from_secs(60)),
            idle_connections: 512,
            user_agent: concat!("tintype/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

impl fmt::Debug for HttpSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let proxy = self
            .proxy
            .as_ref()
            .map(|url| (url.scheme(), url.host_str(), url.port()));
        f.debug_struct("HttpSettings")
            .field("ca_certs", &self.ca_certs)
            .field("proxy", &proxy)
            .field("no_proxy", &self.no_proxy)
            .field("connect_timeout", &self.connect_timeout)
            .field("read_timeout", &self.read_timeout)
            .field("idle_connections", &self.idle_connections)
            .field("user_agent", &self.user_agent)
            .finish()
    }
}

impl HttpSettings {
    /// The same for calls that have deadlines of their own, such as uploads that take as long as they take.
    #[must_use]
    pub fn unhurried(&self) -> Self {
        Self {
            read_timeout: None,
            ..self.clone()
        }
    }

    /// The defaults with what the environment says: `HTTPS_PROXY`, `NO_PROXY` (both also in small letters) and
    /// `SSL_CERT_FILE`. Nothing else reads them.
    ///
    /// # Errors
    /// When `HTTPS_PROXY` is no URL of a proxy.
    pub fn from_env() -> Result<Self, HttpError> {
        Self::from_variables(|name| env::var(name).ok())
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, HttpError> {
        let either = |name: &str| {
            let set = |name: &str| variable(name).filter(|value| !value.is_empty());
            set(name).or_else(|| set(&name.to_ascii_lowercase()))
        };
        let proxy = either("HTTPS_PROXY")
            .map(|text| parse_proxy(&text))
            .transpose()?;
        let ca_file = variable("SSL_CERT_FILE").filter(|value| !value.is_empty());
        Ok(Self {
            ca_certs: ca_file
                .map(|path| CaCert::File(path.into()))
                .into_iter()
                .collect(),
            proxy,
            no_proxy: either("NO_PROXY"),
            ..Self::default()
        })
    }

    /// Builds a client for addresses that the operator chose, or Google. It follows no redirects, repeats nothing by itself and
    /// takes no proxy from the environment.
    ///
    /// # Errors
    /// When a CA file or the proxy does not fit.
    pub fn client(&self) -> Result<Client, HttpError> {
        self.reaching(Reach::Anybody)
    }

    /// Builds a client for addresses that a tenant chose. Without `private_addresses` it reaches the public internet alone, and by
    /// https alone: through the proxy, where there is one, for all hosts.
    ///
    /// # Errors
    /// When a CA file or the proxy does not fit.
    pub fn guarded(&self, private_addresses: bool) -> Result<GuardedClient, HttpError> {
        let reach = if private_addresses {
            Reach::Anybody
        } else {
            Reach::Outside
        };
        Ok(GuardedClient::new(self.reaching(reach)?, private_addresses))
    }

    fn reaching(&self, reach: Reach) -> Result<Client, HttpError> {
        let authorities = self.authorities()?;
        let machine_may_lack_authorities = authorities.is_empty();
        let built = self.builder(reach)?.tls_certs_merge(authorities).build();
        match built {
            Ok(client) => Ok(client),
            Err(error) if machine_may_lack_authorities => {
                // A bare container can still speak plain HTTP to its neighbours.
                let client = self
                    .builder(reach)?
                    .tls_certs_only([])
                    .build()
                    .map_err(HttpError::Build)?;
                tracing::warn!(
                    error = %error,
                    "no certificate authorities found: https will fail until a CA file is configured"
                );
                Ok(client)
            }
            Err(error) => Err(HttpError::Build(error)),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the home of HTTP clients")]
    fn builder(&self, reach: Reach) -> Result<ClientBuilder, HttpError> {
        let builder = Client::builder()
            .user_agent(&self.user_agent)
            .redirect(redirect::Policy::none())
            // A repeated call would escape the quota: callers count and repeat themselves.
            .retry(retry::never())
            .referer(false)
            // Google's HTTP/2 front ends cap streams for each connection; many plain connections are faster.
            .http1_only()
            .tcp_nodelay(true)
            .tcp_keepalive(Duration::from_secs(30))
            .connect_timeout(self.connect_timeout)
            .pool_max_idle_per_host(self.idle_connections)
            .pool_idle_timeout(Duration::from_secs(60));
        let builder = match self.read_timeout {
            Some(silence) => builder.read_timeout(silence),
            None => builder,
        };
        let builder = match reach {
            Reach::Anybody => builder,
            Reach::Outside => builder
                .https_only(true)
                .dns_resolver(Arc::new(guard::Outside::but_for(self.proxy.as_ref()))),
        };
        let Some(url) = &self.proxy else {
            return Ok(builder.no_proxy());
        };
        let (url, exceptions) = match reach {
            Reach::Anybody => {
                let exceptions = self.no_proxy.as_deref().and_then(NoProxy::from_string);
                (url.clone(), exceptions)
            }
            // The exceptions are the machines inside, where a tenant has no business.
            Reach::Outside => (guard::resolving_itself(url), None),
        };
        let proxy = Proxy::https(url).map_err(|_| HttpError::BadProxy)?;
        Ok(builder.proxy(proxy.no_proxy(exceptions)))
    }

    fn authorities(&self) -> Result<Vec<Certificate>, HttpError> {
        let mut all = Vec::new();
        for ca in &self.ca_certs {
            let (origin, pem) = match ca {
                CaCert::Pem(pem) => (
                    "the configured CA text".to_owned(),
                    pem.clone().into_bytes(),
                ),
                CaCert::File(path) => {
                    let pem = fs::read(path).map_err(|source| HttpError::ReadCa {
                        path: path.clone(),
                        source,
                    })?;
                    (format!("the CA file {}", path.display()), pem)
                }
            };
            let found =
                Certificate::from_pem_bundle(&pem).map_err(|source| HttpError::BadCertificate {
                    origin: origin.clone(),
                    source,
                })?;
            if found.is_empty() {
                return Err(HttpError::NoCertificate { origin });
            }
            all.extend(found);
        }
        Ok(all)
    }
}

fn parse_proxy(text: &str) -> Result<Url, HttpError> {
    // curl and others take `proxy.example:3128` for an HTTP proxy.
    let with_scheme = if text.contains("://") {
        text.to_owned()
    } else {
        format!("http://{text}")
    };
    let url = Url::parse(&with_scheme).map_err(|_| HttpError::BadProxy)?;
    let known = matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h");
    if known && url.has_host() {
        Ok(url)
    } else {
        Err(HttpError::BadProxy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &[(&str, &str)]) -> Result<HttpSettings, HttpError> {
        let find = |name: &str| pairs.iter().find(|(key, _)| *key == name);
        HttpSettings::from_variables(|name| find(name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_environment_names_proxy_exceptions_and_authority() {
        let settings = from(&[
            ("https_proxy", "proxy.example:3128"),
            ("NO_PROXY", "localhost"),
            ("SSL_CERT_FILE", "/etc/ca.pem"),
        ])
        .unwrap();
        let expected = HttpSettings {
            ca_certs: vec![CaCert::File("/etc/ca.pem".into())],
            proxy: Some(Url::parse("http://proxy.example:3128").unwrap()),
            no_proxy: Some("localhost".to_owned()),
            ..HttpSettings::default()
        };
        assert_eq!(settings, expected);
        assert_eq!(from(&[]).unwrap(), HttpSettings::default());
    }

    #[tokio::test]
    async fn an_unhurried_client_waits_for_an_answer_that_takes_long() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let silence = Duration::from_millis(50);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 1024]).await;
                tokio::time::sleep(10 * silence).await;
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                    .await;
            }
        });
        let hurried = HttpSettings {
            read_timeout: Some(silence),
            ..HttpSettings::default()
        };
        let ask = async |settings: HttpSettings| {
            let client = settings.client().unwrap();
            client.post(&url).body("photo").send().await
        };
        assert!(ask(hurried.clone()).await.unwrap_err().is_timeout());
        assert!(
            ask(hurried.unhurried())
                .await
                .unwrap()
                .status()
                .is_success()
        );
    }

    #[test]
    fn a_proxy_that_is_no_proxy_is_refused() {
        for wrong in ["ftp://proxy", "http://", "://"] {
            assert!(
                matches!(from(&[("HTTPS_PROXY", wrong)]), Err(HttpError::BadProxy)),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_proxy_password_is_never_shown() {
        let settings = from(&[("HTTPS_PROXY", "http://ann:hunter2@proxy.example:3128")]).unwrap();
        let shown = format!("{settings:?}");
        assert!(
            shown.contains("proxy.example") && !shown.contains("hunter2"),
            "{shown}"
        );
    }

    #[test]
    fn a_ca_file_that_is_missing_or_empty_is_named() {
        let missing = HttpSettings {
            ca_certs: vec![CaCert::File("/nowhere/ca.pem".into())],
            ..HttpSettings::default()
        };
        assert!(
            missing
                .client()
                .unwrap_err()
                .to_string()
                .contains("/nowhere/ca.pem")
        );
        let empty = HttpSettings {
            ca_certs: vec![CaCert::Pem("nothing".to_owned())],
            ..HttpSettings::default()
        };
        assert!(matches!(
            empty.client(),
            Err(HttpError::NoCertificate { .. })
        ));
    }

    #[test]
    fn the_defaults_make_a_client() {
        assert!(HttpSettings::default().client().is_ok());
    }
}
