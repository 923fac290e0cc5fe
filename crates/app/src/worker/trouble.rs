//! Sorting failures: which end an item, which end a shard, and what the run does then.

use tintype_model::{
    ErrorKind,
    item::ItemFault,
    run::{RunEvent, RunReason, RunState},
    shard::Shard,
    storage::StorageSettings,
};
use tintype_ports::{ArchiveError, PhotoError, VaultError, quota::QuotaError};

use crate::{App, AppError, AppResult, runs::describe};

/// Why one item was not stored.
#[derive(Debug)]
pub(crate) enum ItemTrouble {
    /// Only this item is affected; it is recorded as failed.
    Item(ItemFault),
    /// Only this item, for now: it stays pending and the shard comes back later.
    Later(ItemFault),
    /// Everything is affected: the shard is handed back.
    Shard(AppError),
}

impl ItemTrouble {
    /// Somebody else works on the shard, or will.
    pub(super) const fn lease_lost() -> Self {
        Self::Shard(AppError::Store(tintype_ports::StoreError::LeaseLost))
    }
}

impl From<PhotoError> for ItemTrouble {
    fn from(error: PhotoError) -> Self {
        let fault = || ItemFault {
            kind: error.kind(),
            message: describe(&error),
        };
        match error {
            PhotoError::ItemNotFound | PhotoError::NotMedia(_) | PhotoError::Rejected(_) => {
                Self::Item(fault())
            }
            PhotoError::Unavailable(_)
            | PhotoError::BaseUrlExpired
            | PhotoError::PageTokenExpired => Self::Later(fault()),
            PhotoError::AuthLost(_)
            | PhotoError::Refused(_)
            | PhotoError::Forbidden(_)
            | PhotoError::QuotaExhausted { .. }
            | PhotoError::StorageFull
            | PhotoError::Vault(_)
            | PhotoError::Quota(_) => Self::Shard(error.into()),
        }
    }
}

impl From<ArchiveError> for ItemTrouble {
    fn from(error: ArchiveError) -> Self {
        Self::Shard(error.into())
    }
}

/// Whether the vault said that a credential is refused until it is replaced.
pub(super) const fn is_refusal(error: &AppError) -> bool {
    matches!(
        error,
        AppError::Photos(PhotoError::Refused(_)) | AppError::Vault(VaultError::Refused(_))
    )
}

impl App {
    /// Lets a run go on that was just parked because of a refused credential, if that was replaced meanwhile: whoever replaced it
    /// may have woken the run before this shard parked it again. Looked at after parking, so that one of the two sees the other.
    pub(super) async fn wake_unless_refused(&self, shard: &Shard) -> AppResult<()> {
        let plan = self.plan(shard.tenant, shard.plan).await?;
        for id in [plan.source, plan.destination] {
            let storage = self.storage(shard.tenant, id).await?;
            if !matches!(storage.settings, StorageSettings::GooglePhotos(_)) {
                continue;
            }
            let known = self.ports.vault.describe(shard.tenant, id).await;
            if !matches!(known, Ok(Some(info)) if info.refused.is_none()) {
                return Ok(());
            }
        }
        // What a person asked for meanwhile stays.
        let run = self.run(shard.tenant, shard.run).await?;
        if run.status.state != RunState::WaitingAuth {
            return Ok(());
        }
        match self
            .change_run(shard.tenant, shard.run, &RunEvent::Resumed)
            .await
        {
            Ok(_) | Err(AppError::Refused(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What the run does about trouble that is not one item's. `None`: nothing, the shard is simply tried again later.
    pub(crate) fn event_for(&self, error: &AppError) -> Option<RunEvent> {
        let reason = || RunReason {
            kind: error.kind(),
            message: describe(error),
        };
        if let AppError::Photos(
            PhotoError::QuotaExhausted { resumes_at }
            | PhotoError::Quota(QuotaError::Exhausted { resumes_at, .. }),
        ) = error
        {
            return Some(RunEvent::QuotaExhausted {
                resumes_at: *resumes_at,
            });
        }
        if let AppError::PickAwaited { poll_after, .. } = error {
            let pause = (*poll_after).max(self.settings.pick_poll);
            let pause = chrono::TimeDelta::from_std(pause).ok();
            return Some(RunEvent::UserNeeded {
                reason: reason(),
                retry_at: pause.map(|pause| self.ports.clock.now() + pause),
            });
        }
        match error.kind() {
            ErrorKind::AuthLost => Some(RunEvent::AuthLost(reason())),
            ErrorKind::Forbidden
            | ErrorKind::DestinationFull
            | ErrorKind::DestinationMissing
            | ErrorKind::DestinationReadOnly => {
                let retry_at = chrono::TimeDelta::from_std(self.settings.mend_interval)
                    .ok()
                    .map(|pause| self.ports.clock.now() + pause);
                Some(RunEvent::UserNeeded {
                    reason: reason(),
                    retry_at,
                })
            }
            // The destination belongs to another archive, or a setting cannot work: trying again by itself is no use.
            ErrorKind::InvalidInput | ErrorKind::Conflict | ErrorKind::NotFound => {
                Some(RunEvent::UserNeeded {
                    reason: reason(),
                    retry_at: None,
                })
            }
            ErrorKind::QuotaExhausted
            | ErrorKind::Unavailable
            | ErrorKind::LeaseLost
            | ErrorKind::PickAwaited
            | ErrorKind::Corrupt
            | ErrorKind::Internal => None,
        }
    }
}
