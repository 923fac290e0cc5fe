//! What a command that runs the whole engine in its own process is told of it.

use std::path::PathBuf;

use clap::Args;
use tintype_app::Settings;
use tintype_model::quota::QuotaLimits;
use url::Url;

use crate::{
    config::{self, Profile},
    failure::Failure,
};

/// Where this machine keeps its data, and what it may do.
#[derive(Debug, Args)]
pub(super) struct Here {
    /// Folder for catalogue, credentials and state [default: ~/.local/share/tintype]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Library calls that the cloud project may make in a day
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    quota_requests: u64,
    /// Downloads that the cloud project may make in a day
    #[arg(long, value_name = "N", default_value_t = 75_000)]
    quota_downloads: u64,
    /// Transfers at the same time, at most; the right number below it is found by itself
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=1024))]
    transfers: u32,
    /// Trust this certificate authority as well (PEM)
    #[arg(long, value_name = "FILE")]
    ca_cert: Option<PathBuf>,
    /// Where Google is, such as the URL of `tintype emulator`
    #[arg(long, value_name = "URL", hide_short_help = true)]
    google_url: Option<Url>,
}

impl Here {
    /// How this process is set up.
    pub(super) fn profile(&self) -> Result<Profile, Failure> {
        let data = match &self.data_dir {
            Some(folder) => std::path::absolute(folder)?,
            None => config::default_data_dir()?,
        };
        Ok(Profile {
            google: self.google_url.clone(),
            ca_cert: self.ca_cert.clone(),
            limits: QuotaLimits {
                requests_per_day: self.quota_requests,
                downloads_per_day: self.quota_downloads,
            },
            settings: self.settings(),
            ..Profile::in_folder(data)
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
