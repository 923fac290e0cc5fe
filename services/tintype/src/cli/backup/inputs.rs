//! Everything the command line names, read and checked before anything is stored.

use tintype_app::Settings;
use tintype_model::{credential::TokenBlob, quota::QuotaLimits, storage::GooglePhotosSettings};
use tintype_ports::Clock;
use tintype_runtime::SystemClock;

use super::Backup;
use crate::{
    cli::read_small,
    config::{self, Profile},
    failure::Failure,
    place::Place,
    setup::Account,
};

/// What the command line says, understood.
pub(super) struct Inputs {
    /// The account to read.
    pub(super) account: Account,
    /// Where to write.
    pub(super) place: Place,
    /// How this process is set up.
    pub(super) profile: Profile,
}

impl Backup {
    /// Reads files, environment and options.
    pub(super) fn inputs(&self) -> Result<Inputs, Failure> {
        let (client_id, client_secret) = self.client.read()?;
        let token = TokenBlob::parse_at(&read_small(&self.token_file)?, SystemClock.now())?;
        let settings = GooglePhotosSettings {
            read_only: true,
            start_year: self.start_year,
            include_archived: self.include_archived,
            ..GooglePhotosSettings::new(client_id.project().clone())
        };
        let data = match &self.data_dir {
            Some(folder) => std::path::absolute(folder)?,
            None => config::default_data_dir()?,
        };
        Ok(Inputs {
            account: Account {
                client_id,
                client_secret,
                refresh_token: token.refresh_token,
                settings,
            },
            place: Place::parse(&self.to)?,
            profile: Profile {
                google: self.google_url.clone(),
                ca_cert: self.ca_cert.clone(),
                limits: QuotaLimits {
                    requests_per_day: self.quota_requests,
                    downloads_per_day: self.quota_downloads,
                },
                settings: self.settings(),
                ..Profile::in_folder(data)
            },
        })
    }

    fn settings(&self) -> Settings {
        let usual = Settings::default();
        Settings {
            initial_downloads: usual.initial_downloads.min(self.transfers),
            max_downloads: self.transfers,
            ..usual
        }
    }
}
