//! Everything the command line names, read and checked before anything is stored.

use tintype_model::{credential::TokenBlob, storage::GooglePhotosSettings};
use tintype_ports::Clock;
use tintype_runtime::SystemClock;

use super::Backup;
use crate::{cli::read_small, config::Profile, failure::Failure, place::Place, setup::Account};

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
            proxy: self.proxy.clone(),
            ..GooglePhotosSettings::new(client_id.project().clone())
        };
        Ok(Inputs {
            account: Account {
                client_id,
                client_secret,
                refresh_token: token.refresh_token,
                settings,
            },
            place: Place::parse(&self.to)?,
            profile: self.here.profile()?,
        })
    }
}
