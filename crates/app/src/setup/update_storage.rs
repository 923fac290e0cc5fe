//! Changes a storage's name, and the settings of an account.

use tintype_model::storage::{GooglePhotosSettings, Storage, StorageSettings, checked_name};

use crate::{App, AppError, AppResult};

impl App {
    /// Gives the storage, as it was read before, this name and, where it is an account, these settings. After a change of what
    /// a listing shows, the next run of each plan lists everything.
    ///
    /// # Errors
    /// The storage is not there or was changed meanwhile, the name is bad or taken, or the settings make no sense.
    pub async fn update_storage(
        &self,
        from: &Storage,
        name: &str,
        account: Option<GooglePhotosSettings>,
    ) -> AppResult<Storage> {
        let name = checked_name(name)?;
        if name != from.name {
            self.refuse_taken_name(from.tenant, &name).await?;
        }
        let settings = match (&from.settings, account) {
            (StorageSettings::GooglePhotos(before), Some(after)) => {
                let now = self.ports.clock.now();
                after.check(now)?;
                if after.project != before.project {
                    return Err(AppError::Invalid(
                        "project: belongs to the oauth client; connect a new storage for another project".into(),
                    ));
                }
                StorageSettings::GooglePhotos(after.changed_from(before, now))
            }
            (settings, _) => settings.clone(),
        };
        let to = Storage {
            name,
            settings,
            ..from.clone()
        };
        if to != *from {
            self.ports.store.update_storage(from, &to).await?;
        }
        Ok(to)
    }
}
