//! A server's REST API, for the commands that speak to one.

mod problem;

use std::{path::PathBuf, time::Duration};

use clap::Args;
use reqwest::{Client, Method, RequestBuilder, Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tintype_model::ErrorKind;
use tintype_runtime::HttpSettings;
use url::{Host, Url};

use problem::{Problem, told};

pub(crate) use problem::{failure_of, kind_of};

use crate::{
    cli::secret,
    config::{TOKEN_FILE, default_data_dir},
    failure::Failure,
    setup::HOUSEHOLD,
};

/// Holds the operator's token when no file does.
const TOKEN_VARIABLE: &str = "TINTYPE_TOKEN";
/// A whole answer takes no longer, a test of an account included.
const DEADLINE: Duration = Duration::from_secs(180);
/// No answer is longer.
const LONGEST_ANSWER: usize = 8 << 20;

/// Which server, and for which tenant.
#[derive(Debug, Args)]
pub(crate) struct Server {
    /// Where the server is
    #[arg(
        long,
        value_name = "URL",
        global = true,
        env = "TINTYPE_SERVER",
        default_value = "http://127.0.0.1:8460"
    )]
    server: Url,
    /// File with the operator's token; or set TINTYPE_TOKEN [default: operator.token in the data folder]
    #[arg(long, value_name = "FILE", global = true)]
    server_token_file: Option<PathBuf>,
    /// Data folder of an embedded server on this machine
    #[arg(long, value_name = "DIR", global = true, env = "TINTYPE_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// Trust this certificate authority as well (PEM)
    #[arg(long, value_name = "FILE", global = true)]
    server_ca: Option<PathBuf>,
    /// Id or name of the tenant; needed where there are several
    #[arg(long, value_name = "TENANT", global = true, env = "TINTYPE_TENANT")]
    tenant: Option<String>,
}

impl Server {
    /// Opens the API; nothing is asked yet.
    pub(crate) fn open(&self) -> Result<Remote, Failure> {
        let is_own_machine = match self.server.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let is_safe = match self.server.scheme() {
            "https" => self.server.has_host(),
            "http" => is_own_machine,
            _ => false,
        };
        if !is_safe {
            let message = "--server: must begin with https://, or be http:// on this machine";
            let action = "the token would be readable on its way; put TLS in front of the server";
            return Err(Failure::usage(message).with_action(action));
        }
        let settings = HttpSettings {
            ca_certs: self
                .server_ca
                .iter()
                .cloned()
                .map(tintype_runtime::http::CaCert::File)
                .collect(),
            read_timeout: Some(DEADLINE),
            ..HttpSettings::default()
        };
        Ok(Remote {
            http: settings.client()?,
            base: self.server.clone(),
            token: self.token()?,
            tenant: None,
        })
    }

    /// Opens the API for the tenant. `make`: where there is none at all, the one of a person's own server is made.
    pub(crate) async fn open_tenant(&self, make: bool) -> Result<Remote, Failure> {
        let mut remote = self.open()?;
        let tenants: Vec<Named> = remote.all("/v1/tenants").await?;
        let found = match &self.tenant {
            Some(wanted) => {
                let mut fits = tenants
                    .iter()
                    .filter(|it| it.id == *wanted || it.name == *wanted);
                match (fits.next(), fits.next()) {
                    (Some(one), None) => one.id.clone(),
                    (Some(_), Some(_)) => {
                        let message = format!("--tenant: several tenants are called {wanted:?}");
                        return Err(Failure::usage(message).with_action("give its id instead"));
                    }
                    (None, _) => {
                        let message = format!("--tenant: there is no tenant {wanted:?}");
                        return Err(Failure::new(ErrorKind::NotFound, message));
                    }
                }
            }
            None => match tenants.as_slice() {
                [one] => one.id.clone(),
                [] if make => {
                    let body = json!({ "name": HOUSEHOLD });
                    let made: Named = remote.post("/v1/tenants", &body).await?;
                    made.id
                }
                [] => {
                    let message = "the server has no tenant yet";
                    let action = "connect something first: tintype storage add …";
                    return Err(Failure::new(ErrorKind::NotFound, message).with_action(action));
                }
                _ => {
                    let message = "--tenant: the server has several tenants";
                    return Err(Failure::usage(message).with_action("say which, by id or name"));
                }
            },
        };
        remote.tenant = Some(found);
        Ok(remote)
    }

    fn token(&self) -> Result<SecretString, Failure> {
        let file = match &self.server_token_file {
            Some(file) => Some(file.clone()),
            None if std::env::var_os(TOKEN_VARIABLE).is_some() => None,
            None => {
                let folder = match &self.data_dir {
                    Some(folder) => folder.clone(),
                    None => default_data_dir()?,
                };
                Some(folder.join(TOKEN_FILE))
            }
        };
        let option = "--server-token-file";
        let read = secret("operator token", file.as_deref(), option, TOKEN_VARIABLE);
        read.map_err(|failure| {
            failure.with_action(format!(
                "give {option}, set {TOKEN_VARIABLE}, or name the data folder of an embedded server"
            ))
        })
    }
}

/// Anything that has an id and a name.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Named {
    /// Its id.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
}

#[derive(Deserialize)]
struct Page<T> {
    data: Vec<T>,
    next_cursor: Option<String>,
}

/// A server, and the tenant that is spoken for.
pub(crate) struct Remote {
    http: Client,
    base: Url,
    token: SecretString,
    tenant: Option<String>,
}

impl Remote {
    /// All entries of a list, page by page.
    pub(crate) async fn all<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, Failure> {
        let mut all = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut request = self.request(Method::GET, path).query(&[("limit", "100")]);
            if let Some(cursor) = &cursor {
                request = request.query(&[("cursor", cursor)]);
            }
            let page: Page<T> = self.json(request).await?;
            all.extend(page.data);
            match page.next_cursor {
                Some(next) => cursor = Some(next),
                None => return Ok(all),
            }
        }
    }

    /// One thing.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.json(self.request(Method::GET, path)).await
    }

    /// The storage of this id or name.
    pub(crate) async fn storage(&self, wanted: &str) -> Result<Named, Failure> {
        let storages: Vec<Named> = self.all("/v1/storages").await?;
        let mut fits = storages
            .into_iter()
            .filter(|it| it.id == wanted || it.name == wanted);
        fits.next().ok_or_else(|| {
            let message = format!("there is no storage {wanted:?}");
            let action = "see what there is: tintype storage list";
            Failure::new(ErrorKind::NotFound, message).with_action(action)
        })
    }

    /// Does something that answers nothing.
    pub(crate) async fn tell(&self, method: Method, path: &str) -> Result<(), Failure> {
        self.send(self.request(method, path)).await.map(drop)
    }

    /// Posts `body` and reads the answer.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<T, Failure> {
        self.json(self.request(Method::POST, path).json(body)).await
    }

    /// Changes what `body` names, and reads what came of it.
    pub(crate) async fn patch<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<T, Failure> {
        self.json(self.request(Method::PATCH, path).json(body))
            .await
    }

    /// Posts `body` and hands out each event of the answer: its name and its data.
    pub(crate) async fn post_events(
        &self,
        path: &str,
        body: &Value,
        mut on_event: impl FnMut(&str, Value) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let request = self.request(Method::POST, path).json(body);
        let request = request.header("accept", "text/event-stream");
        let mut answer = self.send(request).await?;
        let mut text = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.lost(error))? {
            if text.len() + chunk.len() > LONGEST_ANSWER {
                return Err(self.nonsense("an event without an end"));
            }
            text.extend_from_slice(&chunk);
            while let Some(end) = text.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = text.drain(..end + 2).collect();
                let block = String::from_utf8_lossy(&block);
                let field = |name: &str| {
                    let mut lines = block.lines();
                    lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
                };
                if let (Some(name), Some(data)) = (field("event"), field("data")) {
                    let data = serde_json::from_str(data)
                        .map_err(|_| self.nonsense("an event that is no JSON"))?;
                    on_event(name, data)?;
                }
            }
        }
        Ok(())
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut url = self.base.clone();
        let folder = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{folder}{path}"));
        let request = self.http.request(method, url).timeout(DEADLINE);
        let request = request.bearer_auth(self.token.expose_secret());
        match &self.tenant {
            Some(tenant) => request.header("tintype-tenant", tenant),
            None => request,
        }
    }

    async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Failure> {
        let answer = self.send(request).await?;
        let body = self.body(answer).await?;
        serde_json::from_slice(&body).map_err(|_| self.nonsense("something that is not understood"))
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let answer = request.send().await.map_err(|error| self.lost(error))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let body = self.body(answer).await?;
        match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) if status.as_u16() == 401 => {
                let message = format!("the server does not know the token: {}", problem.detail);
                let action = format!("give the operator's token of {}", self.base);
                Err(Failure::usage(message).with_action(action))
            }
            Ok(problem) => Err(told(problem)),
            Err(_) => Err(self.nonsense(&format!("HTTP {status}"))),
        }
    }

    async fn body(&self, mut answer: Response) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.lost(error))? {
            if body.len() + chunk.len() > LONGEST_ANSWER {
                return Err(self.nonsense("more than is sensible"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn lost(&self, error: reqwest::Error) -> Failure {
        let why = tintype_app::runs::describe(&error.without_url());
        let message = format!("the server at {} cannot be reached: {why}", self.base);
        let action =
            "start it with: tintype serve --profile embedded; or name another with --server";
        Failure::new(ErrorKind::Unavailable, message).with_action(action)
    }

    fn nonsense(&self, what: &str) -> Failure {
        let message = format!("{} answers {what}", self.base);
        Failure::new(ErrorKind::Unavailable, message).with_action("check --server")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str) -> Server {
        Server {
            server: url.parse().unwrap(),
            server_token_file: None,
            data_dir: None,
            server_ca: None,
            tenant: None,
        }
    }

    #[test]
    fn a_token_goes_over_plain_http_to_this_machine_only() {
        for url in [
            "http://photos.example",
            "http://10.0.0.7:8460",
            "ftp://localhost",
        ] {
            let refused = server(url).open().err().unwrap();
            assert!(refused.to_string().starts_with("--server"), "{refused}");
        }
    }
}
