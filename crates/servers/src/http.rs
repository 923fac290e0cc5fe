//! The few words of HTTP that RabbitMQ's management needs: a client of a dozen lines, rather than a whole one in every
//! test binary.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// A broker on a busy machine may take seconds to create a virtual host.
const ANSWERS_WITHIN: Duration = Duration::from_secs(60);
/// `guest:guest`, which a broker accepts from its own machine.
const CREDENTIALS: &str = "Z3Vlc3Q6Z3Vlc3Q=";

/// What the broker answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status, such as 204.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// The management interface of a private broker, used as `guest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Management {
    address: String,
}

impl Management {
    /// One at `http://HOST:PORT`.
    ///
    /// # Errors
    /// When the text is something else.
    pub fn at(url: &str) -> Result<Self> {
        let Some(address) = url.strip_prefix("http://") else {
            bail!("the address of a broker's management is http://HOST:PORT, not {url}");
        };
        let address = address.trim_end_matches('/').to_owned();
        Ok(Self { address })
    }

    /// One on this machine.
    pub(crate) fn on_this_machine(port: u16) -> Self {
        let address = format!("127.0.0.1:{port}");
        Self { address }
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sends one request; `path` begins with `/api/`, `body` is JSON or empty.
    ///
    /// # Errors
    /// When there is no answer within a minute. A status that tells of a failure is an answer.
    pub async fn ask(&self, method: &str, path: &str, body: &str) -> Result<Answer> {
        let what = || format!("{method} http://{}{path}", self.address);
        timeout(ANSWERS_WITHIN, self.exchange(method, path, body))
            .await
            .with_context(|| format!("no answer to {} within a minute", what()))?
            .with_context(what)
    }

    /// Creates a virtual host, which all users of this machine may use.
    ///
    /// # Errors
    /// When the broker refuses or does not answer.
    pub async fn create_vhost(&self, name: &str) -> Result<()> {
        self.change("PUT", name).await
    }

    /// Removes a virtual host with everything in it; its connections are closed. One that is not there is fine.
    ///
    /// # Errors
    /// When the broker refuses or does not answer.
    pub async fn delete_vhost(&self, name: &str) -> Result<()> {
        self.change("DELETE", name).await
    }

    async fn change(&self, method: &str, name: &str) -> Result<()> {
        let answer = self.ask(method, &format!("/api/vhosts/{name}"), "").await?;
        match answer.status {
            200..=299 => Ok(()),
            404 if method == "DELETE" => Ok(()),
            status => bail!("the broker answered {status}: {}", answer.body),
        }
    }

    async fn exchange(&self, method: &str, path: &str, body: &str) -> Result<Answer> {
        let mut stream = TcpStream::connect(&self.address).await?;
        let request = format!(
            "{method} {path} HTTP/1.0\r\nauthorization: Basic {CREDENTIALS}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await?;
        // HTTP/1.0: the answer ends with the connection.
        let mut text = Vec::new();
        stream.read_to_end(&mut text).await?;
        let text = String::from_utf8_lossy(&text);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        Ok(Answer {
            status: status.context("the answer is no HTTP")?,
            body: body.to_owned(),
        })
    }
}
