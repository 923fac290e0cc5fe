//! A small Transit engine over real HTTP, which can be broken. It seals with AES-256-GCM as the real one does, and answers
//! refusals in the real one's words.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand,
};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};
use url::Url;

/// The token that the engine takes.
pub(crate) const TOKEN: &str = "hvs.transit-token";

/// How it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    Sealed,
    Silent,
    Broken,
    /// That many answers of 500, then well.
    Stumbling(u32),
    Nonsense,
}

struct Engine {
    mood: Mood,
    kind: &'static str,
    keys: BTreeMap<u32, [u8; 32]>,
    calls: BTreeMap<String, u32>,
}

type Shared = Arc<Mutex<Engine>>;

/// A running engine with the key `tintype`.
pub(crate) struct TransitServer {
    engine: Shared,
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl TransitServer {
    pub(crate) async fn start() -> Self {
        let engine = Arc::new(Mutex::new(Engine {
            mood: Mood::Well,
            kind: "aes256-gcm96",
            keys: BTreeMap::from([(1, key())]),
            calls: BTreeMap::new(),
        }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = serve(listener, Arc::clone(&engine));
        Self {
            engine,
            address,
            serving,
        }
    }

    pub(crate) fn url(&self) -> Url {
        format!("http://{}", self.address).parse().unwrap()
    }

    pub(crate) fn be(&self, mood: Mood) {
        self.held().mood = mood;
    }

    pub(crate) fn be_of_kind(&self, kind: &'static str) {
        self.held().kind = kind;
    }

    pub(crate) fn rotate(&self) {
        let mut engine = self.held();
        let next = engine.keys.keys().next_back().unwrap() + 1;
        engine.keys.insert(next, key());
    }

    /// Exchanges all keys for others.
    pub(crate) fn forget(&self) {
        for key in self.held().keys.values_mut() {
            *key = self::key();
        }
    }

    /// How often `keys`, `encrypt` or `decrypt` was called.
    pub(crate) fn calls(&self, verb: &str) -> u32 {
        self.held().calls.get(verb).copied().unwrap_or(0)
    }

    /// Stops listening and ends all connections.
    pub(crate) async fn stop(&mut self) {
        self.serving.abort();
        let _ = (&mut self.serving).await;
    }

    /// Listens again, at the same address.
    pub(crate) async fn start_again(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.serving = serve(listener, Arc::clone(&self.engine));
    }

    fn held(&self) -> MutexGuard<'_, Engine> {
        self.engine.lock().unwrap()
    }
}

fn serve(listener: TcpListener, engine: Shared) -> JoinHandle<()> {
    let router = Router::new()
        .route("/v1/kms/transit/keys/{key}", get(read_key))
        .route("/v1/kms/transit/encrypt/{key}", post(encrypt))
        .route("/v1/kms/transit/decrypt/{key}", post(decrypt))
        .with_state(engine);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() })
}

fn key() -> [u8; 32] {
    let mut key = [0; 32];
    rand::fill(&mut key).unwrap();
    key
}

fn refuse(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({ "errors": [text] }))).into_response()
}

/// What the mood, the token or the key's name say before anything else.
async fn door(engine: &Shared, verb: &str, headers: &HeaderMap, name: &str) -> Option<Response> {
    let mood = {
        let mut engine = engine.lock().unwrap();
        *engine.calls.entry(verb.to_owned()).or_default() += 1;
        let mood = engine.mood;
        if let Mood::Stumbling(left) = mood {
            engine.mood = if left > 1 {
                Mood::Stumbling(left - 1)
            } else {
                Mood::Well
            };
        }
        mood
    };
    match mood {
        Mood::Sealed => {
            return Some(refuse(StatusCode::SERVICE_UNAVAILABLE, "Vault is sealed"));
        }
        Mood::Broken | Mood::Stumbling(_) => {
            return Some(refuse(StatusCode::INTERNAL_SERVER_ERROR, "internal error"));
        }
        Mood::Silent => tokio::time::sleep(Duration::from_secs(3600)).await,
        Mood::Nonsense => return Some("<html>".into_response()),
        Mood::Well => {}
    }
    let token = headers.get("X-Vault-Token").map(|value| value.as_bytes());
    let namespace = headers
        .get("X-Vault-Namespace")
        .map(|value| value.as_bytes());
    if token != Some(TOKEN.as_bytes()) || namespace != Some(b"team") {
        return Some(refuse(StatusCode::FORBIDDEN, "permission denied"));
    }
    if name != "tintype" {
        let missing = (StatusCode::NOT_FOUND, Json(json!({ "errors": [] })));
        return Some(missing.into_response());
    }
    None
}

async fn read_key(
    State(engine): State<Shared>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Some(refused) = door(&engine, "keys", &headers, &name).await {
        return refused;
    }
    let engine = engine.lock().unwrap();
    Json(json!({ "data": {
        "name": name, "type": engine.kind, "derived": false, "min_decryption_version": 1,
        "latest_version": engine.keys.keys().next_back(), "supports_encryption": true,
    }}))
    .into_response()
}

fn field(body: &Value, name: &str) -> Vec<u8> {
    STANDARD.decode(body[name].as_str().unwrap()).unwrap()
}

async fn encrypt(
    State(engine): State<Shared>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refused) = door(&engine, "encrypt", &headers, &name).await {
        return refused;
    }
    let body: Value = serde_json::from_slice(&body).unwrap();
    let engine = engine.lock().unwrap();
    let (version, key) = engine.keys.iter().next_back().unwrap();
    let mut nonce = [0; NONCE_LEN];
    rand::fill(&mut nonce).unwrap();
    let mut bytes = field(&body, "plaintext");
    sealing(key)
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(field(&body, "associated_data")),
            &mut bytes,
        )
        .unwrap();
    let text = STANDARD.encode([nonce.as_slice(), &bytes].concat());
    Json(json!({ "data": { "ciphertext": format!("vault:v{version}:{text}"), "key_version": version } }))
        .into_response()
}

async fn decrypt(
    State(engine): State<Shared>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refused) = door(&engine, "decrypt", &headers, &name).await {
        return refused;
    }
    let body: Value = serde_json::from_slice(&body).unwrap();
    let ciphertext = body["ciphertext"].as_str().unwrap();
    let (version, text) = ciphertext
        .strip_prefix("vault:v")
        .and_then(|rest| rest.split_once(':'))
        .unwrap();
    let engine = engine.lock().unwrap();
    let Some(key) = engine.keys.get(&version.parse().unwrap()) else {
        return refuse(
            StatusCode::BAD_REQUEST,
            "invalid ciphertext: version is too new",
        );
    };
    let bytes = STANDARD.decode(text).unwrap();
    let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>().unwrap();
    let mut sealed = sealed.to_vec();
    let opened = sealing(key).open_in_place(
        Nonce::assume_unique_for_key(*nonce),
        Aad::from(field(&body, "associated_data")),
        &mut sealed,
    );
    match opened {
        Ok(plain) => {
            Json(json!({ "data": { "plaintext": STANDARD.encode(plain) } })).into_response()
        }
        Err(_) => refuse(
            StatusCode::BAD_REQUEST,
            "cipher: message authentication failed",
        ),
    }
}

fn sealing(key: &[u8; 32]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).unwrap())
}
