//! One emulator and one HTTP client for a test.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;
use tintype_emulator::{
    Control, DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, Emulator, EmulatorConfig, Library, RunningEmulator,
};

/// A running emulator with a client that holds its access token.
pub(crate) struct Google {
    pub(crate) running: RunningEmulator,
    pub(crate) http: Client,
    pub(crate) token: String,
}

impl Google {
    pub(crate) async fn start(config: EmulatorConfig) -> Self {
        let running = Emulator::start(config).await.expect("the emulator starts");
        let token = running.grant().access_token.clone();
        Self {
            running,
            http: client(None),
            token,
        }
    }

    pub(crate) async fn with(library: Library) -> Self {
        Self::start(EmulatorConfig::with_library(library)).await
    }

    pub(crate) fn control(&self) -> Control {
        self.running.control()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.running.base_url())
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(self.url(path)).bearer_auth(&self.token)
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(self.url(path)).bearer_auth(&self.token)
    }

    pub(crate) async fn get_json(&self, path: &str) -> (u16, Value) {
        json(self.get(path).send().await.expect("an answer")).await
    }

    pub(crate) async fn post_json(&self, path: &str, body: &Value) -> (u16, Value) {
        json(self.post(path).json(body).send().await.expect("an answer")).await
    }

    pub(crate) async fn patch_json(&self, path: &str, body: &Value) -> (u16, Value) {
        let call = self
            .http
            .patch(self.url(path))
            .bearer_auth(&self.token)
            .json(body);
        json(call.send().await.expect("an answer")).await
    }

    /// A token of the default account and client with these scopes.
    pub(crate) fn token_with(&self, scopes: &str) -> String {
        let grant = self
            .control()
            .grant(DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, Some(scopes));
        grant.expect("a grant").access_token
    }

    /// Uploads raw bytes and gives the token.
    pub(crate) async fn upload(&self, bytes: Vec<u8>) -> String {
        let call = self
            .post("/v1/uploads")
            .header("content-type", "application/octet-stream")
            .header("x-goog-upload-content-type", "image/jpeg")
            .header("x-goog-upload-protocol", "raw")
            .body(bytes);
        let answer = call.send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        answer.text().await.expect("a token")
    }

    /// Creates items of tokens and names.
    pub(crate) async fn create(&self, items: &[(&str, &str)]) -> (u16, Value) {
        let items: Vec<Value> = items
            .iter()
            .map(|(token, name)| {
                serde_json::json!({"simpleMediaItem": {"uploadToken": token, "fileName": name}})
            })
            .collect();
        let body = serde_json::json!({"newMediaItems": items});
        self.post_json("/v1/mediaItems:batchCreate", &body).await
    }

    /// Id and base URL of the first item with a file name.
    pub(crate) async fn find(&self, name: &str) -> (String, String) {
        let (_, page) = self.get_json("/v1/mediaItems?pageSize=100").await;
        let items = page["mediaItems"].as_array().expect("items");
        let item = items
            .iter()
            .find(|item| item["filename"] == name)
            .expect("an item of that name");
        (text(&item["id"]), text(&item["baseUrl"]))
    }
}

/// A client that trusts a CA, if given.
pub(crate) fn client(ca_pem: Option<&str>) -> Client {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one client of these tests; it talks to the emulator alone"
    )]
    let builder = Client::builder();
    let builder = builder
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(30));
    match ca_pem {
        Some(pem) => {
            let ca = reqwest::Certificate::from_pem(pem.as_bytes()).expect("a certificate");
            builder.tls_certs_only([ca])
        }
        None => builder,
    }
    .build()
    .expect("a client")
}

pub(crate) async fn json(answer: Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    let body = answer.bytes().await.expect("a body");
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

pub(crate) fn message(body: &Value) -> &str {
    body["error"]["message"].as_str().unwrap_or("")
}

/// A small JPEG unlike the others of other numbers.
pub(crate) fn photo(number: u8) -> Vec<u8> {
    let mut bytes = include_bytes!("../../media/base-0.jpg").to_vec();
    let end = bytes.len() - 2;
    bytes.splice(end..end, [0xff, 0xfe, 0x00, 0x03, number]);
    bytes
}
