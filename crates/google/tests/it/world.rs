//! One emulator, one account opened on it, and a gate that writes down what it was asked.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tintype_emulator::{
    CallKind, Control, DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, Emulator, EmulatorConfig, Generated,
    Library, RunningEmulator,
};
use tintype_google::{
    Deadlines, GoogleEndpoints, GooglePhotosSources, GoogleSettings, RetryPolicy,
};
use tintype_model::quota::QuotaKind;
use tintype_ports::{
    photos::{
        Attempt, AttemptOutcome, CallGate, Download, ListedItem, Persistence, PhotoError,
        PhotoPicker, PhotoSink, PhotoSource, PhotoSources, Scope, Traffic,
    },
    quota::QuotaError,
    vault::{AccessToken, Refusal, RefusedBy, VaultError},
};
use tintype_runtime::{HttpSettings, SystemEntropy};
use url::Url;

/// The whole library.
pub(crate) const LIBRARY: Scope = Scope::Library {
    include_archived: true,
};

/// When the gate says that the quota day ends.
pub(crate) fn day_ends() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + chrono::Days::new(20_000)
}

/// What the gate was asked.
#[derive(Default)]
pub(crate) struct Gate {
    control: Option<Control>,
    token: Mutex<String>,
    /// Answers the rejected token again, as a vault would whose fresh token is refused too.
    pub(crate) stubborn: bool,
    /// Admits no more than so many units.
    pub(crate) limit: Option<usize>,
    pub(crate) vault_refuses: bool,
    /// Scopes of fresh access tokens; the usual ones when absent.
    pub(crate) scopes: Option<&'static str>,
    pub(crate) admitted: Mutex<Vec<QuotaKind>>,
    pub(crate) observed: Mutex<Vec<Attempt>>,
    pub(crate) renewed: AtomicU32,
    pub(crate) exhausted: Mutex<Vec<QuotaKind>>,
}

impl Gate {
    /// A gate in front of no emulator.
    pub(crate) fn alone() -> Arc<Self> {
        Arc::new(Self {
            token: Mutex::new("token".to_owned()),
            ..Self::default()
        })
    }

    pub(crate) fn admits(&self) -> usize {
        self.admitted.lock().unwrap().len()
    }

    pub(crate) fn outcomes(&self) -> Vec<AttemptOutcome> {
        let observed = self.observed.lock().unwrap();
        observed.iter().map(|attempt| attempt.outcome).collect()
    }

    pub(crate) fn traffic(&self) -> Vec<Traffic> {
        let observed = self.observed.lock().unwrap();
        observed.iter().map(|attempt| attempt.traffic).collect()
    }
}

fn access_token(text: &str) -> AccessToken {
    AccessToken {
        secret: text.into(),
        expires_at: day_ends(),
        scopes: Vec::new(),
    }
}

#[async_trait]
impl CallGate for Gate {
    async fn admit(&self, kind: QuotaKind) -> Result<(), QuotaError> {
        if self.limit.is_some_and(|limit| self.admits() >= limit) {
            let project = "1".parse().unwrap();
            return Err(QuotaError::Exhausted {
                project,
                resumes_at: day_ends(),
            });
        }
        self.admitted.lock().unwrap().push(kind);
        Ok(())
    }

    async fn exhausted(&self, kind: QuotaKind) -> Result<DateTime<Utc>, QuotaError> {
        self.exhausted.lock().unwrap().push(kind);
        Ok(day_ends())
    }

    async fn access_token(
        &self,
        rejected: Option<&AccessToken>,
    ) -> Result<AccessToken, VaultError> {
        if self.vault_refuses {
            return Err(VaultError::Refused(Refusal {
                by: RefusedBy::Token,
                reason: "revoked".to_owned(),
            }));
        }
        if let Some(rejected) = rejected {
            assert!(rejected.is_same(&access_token(&self.token.lock().unwrap())));
            self.renewed.fetch_add(1, Ordering::Relaxed);
            if let (Some(control), false) = (&self.control, self.stubborn) {
                let grant = control
                    .grant(DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, self.scopes)
                    .unwrap();
                *self.token.lock().unwrap() = grant.access_token;
            }
        }
        Ok(access_token(&self.token.lock().unwrap()))
    }

    fn observe(&self, attempt: Attempt) {
        self.observed.lock().unwrap().push(attempt);
    }
}

/// Deadlines and waits that tests can sit through.
pub(crate) fn quick(endpoints: GoogleEndpoints) -> GoogleSettings {
    let wait = Duration::from_millis(1);
    GoogleSettings {
        endpoints,
        deadlines: Deadlines {
            call: Duration::from_secs(5),
            download_head: Duration::from_secs(5),
            download_idle: Duration::from_secs(5),
            upload_idle: Duration::from_secs(5),
            upload_answer: Duration::from_secs(5),
            upload_mib: Duration::from_secs(5),
        },
        retry: RetryPolicy {
            retries: 3,
            first_wait: wait,
            longest_wait: wait,
            throttle_retries: 2,
            first_throttle_wait: wait,
            longest_throttle_wait: wait,
            longest_retry_after: wait,
        },
    }
}

/// An account opened at `settings`.
pub(crate) fn open(
    settings: GoogleSettings,
    http: &HttpSettings,
    gate: Arc<Gate>,
) -> Arc<dyn PhotoSource> {
    sources(settings, http).open(gate, Persistence::Usual)
}

/// The write side of an account opened at `settings`.
pub(crate) fn open_sink(
    settings: GoogleSettings,
    gate: &Arc<Gate>,
    persistence: Persistence,
) -> Arc<dyn PhotoSink> {
    sources(settings, &HttpSettings::default()).open_sink(Arc::clone(gate) as _, persistence)
}

fn sources(settings: GoogleSettings, http: &HttpSettings) -> GooglePhotosSources {
    let client = http.client().unwrap();
    GooglePhotosSources::new(client, settings, Arc::new(SystemEntropy))
}

/// An emulator and an account opened on it.
pub(crate) struct World {
    pub(crate) emulator: RunningEmulator,
    pub(crate) control: Control,
    pub(crate) gate: Arc<Gate>,
    pub(crate) source: Arc<dyn PhotoSource>,
    sources: GooglePhotosSources,
}

impl World {
    /// Photos of 64 KiB.
    pub(crate) async fn with_photos(count: u64) -> Self {
        Self::with(Library::Generated(Generated::photos(count, 64 * 1024))).await
    }

    pub(crate) async fn with(library: Library) -> Self {
        Self::tuned(library, |_, _| {}).await
    }

    pub(crate) async fn tuned(
        library: Library,
        tune: impl FnOnce(&mut GoogleSettings, &mut Gate),
    ) -> Self {
        let emulator = Emulator::start(EmulatorConfig::with_library(library))
            .await
            .unwrap();
        let control = emulator.control();
        let base = Url::parse(&emulator.base_url()).unwrap();
        let mut settings = quick(GoogleEndpoints::at(&base));
        let mut gate = Gate::of(&emulator);
        tune(&mut settings, &mut gate);
        let gate = Arc::new(gate);
        let sources = sources(settings, &HttpSettings::default());
        Self {
            emulator,
            control,
            source: sources.open(Arc::clone(&gate) as _, Persistence::Usual),
            gate,
            sources,
        }
    }

    /// The account's write side.
    pub(crate) fn sink(&self, persistence: Persistence) -> Arc<dyn PhotoSink> {
        self.sources
            .open_sink(Arc::clone(&self.gate) as _, persistence)
    }

    /// The account's Picker.
    pub(crate) fn picker(&self) -> Arc<dyn PhotoPicker> {
        self.sources
            .open_picker(Arc::clone(&self.gate) as _, Persistence::Usual)
    }

    /// The first item of the library.
    pub(crate) async fn first_item(&self) -> ListedItem {
        self.source
            .list(&LIBRARY, None)
            .await
            .unwrap()
            .entries
            .into_iter()
            .next()
            .unwrap()
    }

    /// Opens an item's bytes.
    pub(crate) async fn download(
        &self,
        item: &ListedItem,
    ) -> Result<Box<dyn Download>, PhotoError> {
        self.source
            .download(item.base_url.as_ref().unwrap(), item.metadata.kind)
            .await
    }

    /// Asks how long an item's bytes are.
    pub(crate) async fn size(&self, item: &ListedItem) -> Result<Option<u64>, PhotoError> {
        self.source
            .size(item.base_url.as_ref().unwrap(), item.metadata.kind)
            .await
    }

    /// The bytes an undisturbed download has.
    pub(crate) fn true_bytes(&self, item: &ListedItem, suffix: &str) -> Vec<u8> {
        self.control
            .served_bytes(item.id.as_str(), suffix)
            .unwrap()
            .unwrap()
            .to_vec()
    }

    /// Stops the emulator, after checking that no call escaped the gate.
    pub(crate) async fn close(self) {
        let kinds = [
            CallKind::Search,
            CallKind::ListAlbums,
            CallKind::BatchGet,
            CallKind::Download,
            CallKind::DownloadHead,
            CallKind::UploadRaw,
            CallKind::UploadStart,
            CallKind::UploadChunk,
            CallKind::UploadQuery,
            CallKind::BatchCreate,
            CallKind::CreateAlbum,
            CallKind::AlbumAdd,
        ];
        let calls: u64 = kinds.into_iter().map(|kind| self.control.calls(kind)).sum();
        assert_eq!(
            calls,
            self.gate.admits() as u64,
            "each call is admitted, and each admission used"
        );
        assert_eq!(
            self.gate.admits(),
            self.gate.outcomes().len(),
            "each attempt is reported"
        );
        self.emulator.shutdown().await;
    }
}

impl Gate {
    pub(crate) fn of(emulator: &RunningEmulator) -> Self {
        Self {
            control: Some(emulator.control()),
            token: Mutex::new(emulator.grant().access_token.clone()),
            ..Self::default()
        }
    }
}

/// All bytes to the end.
pub(crate) async fn drain(download: &mut dyn Download) -> Result<Vec<u8>, PhotoError> {
    let mut all = Vec::new();
    while let Some(piece) = download.next().await? {
        all.extend_from_slice(&piece);
    }
    Ok(all)
}
