//! Google with two cloud projects and a library for each tenant.

use tintype_emulator::{
    ClientConfig, Control, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, Emulator, EmulatorConfig,
    Generated, LedgerEntry, Library, QuotaLimits, RunningEmulator,
};

/// A second OAuth client, of another cloud project.
const OTHER_CLIENT_ID: &str = "998877665544-other.apps.googleusercontent.com";
const OTHER_CLIENT_SECRET: &str = "GOCSPX-canary-of-the-other-client";

/// What each cloud project may spend in a day; the emulator counts with the same.
pub(super) const DOWNLOADS_A_DAY: u64 = 60_000;
pub(super) const REQUESTS_A_DAY: u64 = 30_000;

/// Calls a second, from the first of these to the last.
#[expect(clippy::cast_precision_loss, reason = "counts of a test are small")]
pub(super) fn a_second(entries: &[LedgerEntry]) -> f64 {
    let (first, last) = (&entries[0], &entries[entries.len() - 1]);
    entries.len() as f64 * 1e3 / (last.at_ms - first.at_ms) as f64
}

/// What opens an account.
pub(super) struct Account {
    pub(super) email: String,
    pub(super) client_id: &'static str,
    pub(super) client_secret: &'static str,
    pub(super) refresh_token: String,
}

pub(super) struct Google {
    running: RunningEmulator,
    pub(super) control: Control,
    /// Secrets that must stand nowhere but sealed in the vault.
    pub(super) canaries: Vec<String>,
}

impl Google {
    pub(super) async fn start() -> Self {
        let mut config = EmulatorConfig::with_library(Library::Generated(Generated::photos(0, 1)));
        config.switches.quota = QuotaLimits {
            calls_per_day: Some(REQUESTS_A_DAY),
            loads_per_day: Some(DOWNLOADS_A_DAY),
            ..QuotaLimits::unlimited()
        };
        config.clients.push(ClientConfig {
            client_id: OTHER_CLIENT_ID.into(),
            client_secret: OTHER_CLIENT_SECRET.into(),
            ..ClientConfig::default()
        });
        let running = Emulator::start(config).await.expect("the emulator");
        Self {
            control: running.control(),
            running,
            canaries: vec![DEFAULT_CLIENT_SECRET.into(), OTHER_CLIENT_SECRET.into()],
        }
    }

    pub(super) fn url(&self) -> String {
        self.running.base_url()
    }

    /// An account with so many photos; accounts take turns in the two projects.
    pub(super) fn account(&mut self, number: usize, photos: u64) -> Account {
        let email = format!("customer{number}@example.com");
        let (client_id, client_secret) = match number % 2 {
            0 => (DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET),
            _ => (OTHER_CLIENT_ID, OTHER_CLIENT_SECRET),
        };
        let library = Library::Generated(Generated::photos(photos, 8_000));
        self.control.add_account(&email);
        self.control
            .add_library(&email, client_id, library)
            .expect("a library");
        let grant = self.control.grant(&email, client_id, None);
        let refresh_token = grant.expect("a grant").refresh_token;
        self.canaries.push(refresh_token.clone());
        Account {
            email,
            client_id,
            client_secret,
            refresh_token,
        }
    }
}
