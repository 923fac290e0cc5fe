//! What a person chooses for a Google Photos account.

use serde::{Deserialize, Deserializer};
use tintype_model::storage::{
    BatchMode, BatchOptions, GooglePhotosSettings, ProxyUrl, StoragePolicy, StorageSettings,
};

use crate::{places, problem::Problem};

/// How items are made of bytes that were sent; what it leaves out is chosen by the server.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Batch {
    #[serde(default)]
    mode: BatchMode,
    #[serde(default)]
    size: u8,
    #[serde(default)]
    timeout_seconds: u32,
}

impl From<Batch> for BatchOptions {
    fn from(batch: Batch) -> Self {
        Self {
            mode: batch.mode,
            size: batch.size,
            timeout_seconds: batch.timeout_seconds,
        }
    }
}

/// Tells a field that is `null`, which takes a choice back, from one that is left out.
pub(super) fn named<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// The options that a body names; what it leaves out stays.
#[derive(Debug, Clone, Default)]
pub(super) struct Options {
    pub(super) read_only: Option<bool>,
    pub(super) start_year: Option<i32>,
    pub(super) include_archived: Option<bool>,
    pub(super) read_size: Option<bool>,
    pub(super) batch: Option<Batch>,
    /// `Some(None)`: none from now on.
    pub(super) proxy: Option<Option<ProxyUrl>>,
}

impl Options {
    /// These options on top of `settings`, where the operator allows them.
    pub(super) fn over(
        self,
        mut settings: GooglePhotosSettings,
        policy: StoragePolicy,
    ) -> Result<GooglePhotosSettings, Problem> {
        if let Some(Some(proxy)) = &self.proxy {
            places::proxy("proxy", proxy, policy)?;
        }
        settings.read_only = self.read_only.unwrap_or(settings.read_only);
        settings.start_year = self.start_year.unwrap_or(settings.start_year);
        settings.include_archived = self.include_archived.unwrap_or(settings.include_archived);
        settings.read_size = self.read_size.unwrap_or(settings.read_size);
        settings.batch = self.batch.map_or(settings.batch, Into::into);
        settings.proxy = self.proxy.unwrap_or(settings.proxy);
        Ok(settings)
    }

    /// The account's settings with these options; `None` for another kind of storage, which has none of them.
    pub(super) fn of(
        self,
        storage: &StorageSettings,
        policy: StoragePolicy,
    ) -> Result<Option<GooglePhotosSettings>, Problem> {
        match storage {
            StorageSettings::GooglePhotos(settings) => {
                self.over(settings.clone(), policy).map(Some)
            }
            StorageSettings::LocalFolder { .. } | StorageSettings::S3(_) => match self.named() {
                Some(field) => Err(Problem::field(field, "only a google photos storage has it")),
                None => Ok(None),
            },
        }
    }

    /// One that is named, if any is.
    pub(super) const fn named(&self) -> Option<&'static str> {
        if self.read_only.is_some() {
            Some("read_only")
        } else if self.start_year.is_some() {
            Some("start_year")
        } else if self.include_archived.is_some() {
            Some("include_archived")
        } else if self.read_size.is_some() {
            Some("read_size")
        } else if self.batch.is_some() {
            Some("batch")
        } else if self.proxy.is_some() {
            Some("proxy")
        } else {
            None
        }
    }
}
