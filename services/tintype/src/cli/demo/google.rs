//! The Google of the demo: the emulator, what it holds, and its own books.

use secrecy::SecretString;
use tintype_emulator::{
    CallKind, Control, DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, Emulator,
    EmulatorConfig, Generated, ItemBytes, ItemSummary, Library, NewItem, RunningEmulator,
};
use tintype_model::{
    credential::{ClientId, TokenBlob},
    quota::QuotaLimits,
    storage::GooglePhotosSettings,
};
use url::Url;

use super::Demo;
use crate::{cli::emulator::unusable, failure::Failure, setup::Account};

/// Photos that appear at Google after the second run; the last one is a video.
const ADDED: u64 = 12;
/// Videos among the invented items, and their size in bytes.
const VIDEOS: u64 = 4;
const VIDEO_BYTES: u64 = 2 << 20;
/// The seed of the videos' bytes, another one than the photos'.
const VIDEO_SEED: u64 = 4;
/// The year of the first photograph: a person's own folder may hold scans of old prints.
const FIRST_YEAR: i32 = 1826;

/// A running emulator.
pub(super) struct Google {
    emulator: RunningEmulator,
    control: Control,
    items: u64,
    photo_bytes: u64,
}

impl Google {
    /// Starts it with the library that was asked for.
    pub(super) async fn start(demo: &Demo) -> Result<Self, Failure> {
        let library = match &demo.library {
            Some(folder) => Library::Folder(std::path::absolute(folder)?),
            None => Library::Sample,
        };
        let config = EmulatorConfig::with_library(library);
        let emulator = Emulator::start(config).await.map_err(unusable)?;
        let control = emulator.control();
        if demo.library.is_none() {
            let photos = Generated {
                albums: 3,
                album_items: 20,
                ..Generated::photos(demo.items, demo.size)
            };
            let videos = Generated {
                seed: Some(VIDEO_SEED),
                ..Generated::videos(VIDEOS.min(demo.items), VIDEO_BYTES)
            };
            for set in [photos, videos] {
                control.add_library(DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, Library::Generated(set))?;
            }
        }
        let items = control.items(DEFAULT_ACCOUNT, usize::MAX)?.len() as u64;
        if items == 0 {
            let folder = demo.library.as_deref().unwrap_or(std::path::Path::new(""));
            return Err(Failure::usage(format!(
                "library: {} holds no photos or videos",
                folder.display()
            ))
            .with_action("name a folder with photos, such as ~/Pictures"));
        }
        let google = Self {
            emulator,
            control,
            items,
            photo_bytes: demo.size,
        };
        let limits = google.limits();
        google.control.set(|switches| {
            switches.quota.calls_per_day = Some(limits.requests_per_day);
            switches.quota.loads_per_day = Some(limits.downloads_per_day);
            if demo.latency > 0 {
                switches.latency_ms = CallKind::ALL.map(|kind| (kind, demo.latency)).into();
            }
        });
        Ok(google)
    }

    /// Where it listens.
    pub(super) fn url(&self) -> Result<Url, Failure> {
        let text = self.emulator.base_url();
        Url::parse(&text).map_err(|error| Failure::usage(format!("{text}: {error}")))
    }

    /// What rclone would print for the account, to be pasted.
    pub(super) fn token_blob(&self) -> String {
        self.emulator.token_blob()
    }

    /// The account, from the pasted text.
    pub(super) fn account(&self, pasted: &str) -> Result<Account, Failure> {
        let client_id = ClientId::parse(DEFAULT_CLIENT_ID)?;
        let token = TokenBlob::parse(pasted)?;
        let settings = GooglePhotosSettings {
            read_only: true,
            start_year: FIRST_YEAR,
            ..GooglePhotosSettings::new(client_id.project().clone())
        };
        Ok(Account {
            client_id,
            client_secret: SecretString::from(DEFAULT_CLIENT_SECRET),
            refresh_token: token.refresh_token,
            settings,
        })
    }

    /// Items that were there at the start.
    pub(super) const fn items(&self) -> u64 {
        self.items
    }

    /// Google's usual limits; a library that needs more than a day has a project with more.
    pub(super) fn limits(&self) -> QuotaLimits {
        let usual = QuotaLimits::default();
        QuotaLimits {
            requests_per_day: usual.requests_per_day.max(self.items),
            downloads_per_day: usual.downloads_per_day.max(2 * self.items),
        }
    }

    /// Downloads that it has served so far, by its own books.
    pub(super) fn downloads(&self) -> u64 {
        self.control.calls(CallKind::Download)
    }

    /// Lets photos and a video appear, as if they had just been taken. Returns how many.
    pub(super) fn add_photos(&self) -> Result<u64, Failure> {
        for number in 1..=ADDED {
            let (name, bytes) = if number == ADDED {
                (
                    format!("NEW_{number:04}.MP4"),
                    ItemBytes::Video(VIDEO_BYTES / 2),
                )
            } else {
                (
                    format!("NEW_{number:04}.JPG"),
                    ItemBytes::Photo(self.photo_bytes),
                )
            };
            self.control.add_item(
                DEFAULT_ACCOUNT,
                DEFAULT_CLIENT_ID,
                NewItem::new(name, bytes),
            )?;
        }
        Ok(ADDED)
    }

    /// Everything it shows now.
    pub(super) fn listing(&self) -> Result<Vec<ItemSummary>, Failure> {
        Ok(self.control.items(DEFAULT_ACCOUNT, usize::MAX)?)
    }

    /// What it serves for an item's full bytes.
    pub(super) fn served(&self, item: &ItemSummary) -> Result<Vec<u8>, Failure> {
        let suffix = if item.mime.starts_with("video/") {
            "dv"
        } else {
            "d"
        };
        let bytes = self.control.served_bytes(&item.id, suffix)?;
        Ok(bytes.map(Vec::from).unwrap_or_default())
    }

    /// Ends it.
    pub(super) async fn stop(self) {
        self.emulator.shutdown().await;
    }
}
