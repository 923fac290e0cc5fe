//! After a change of the key-encryption key: the tenants' keys follow it, a few at a time.

use std::{error::Error, sync::Arc};

use tintype_ports::{VaultError, VaultKeeper};
use tokio::time::sleep;

use crate::settings::RewrapPace;

/// Looks again and again whether keys wait, for as long as it is polled.
pub(crate) async fn follow(keeper: Arc<dyn VaultKeeper>, pace: RewrapPace) {
    loop {
        match rewrap(&*keeper, &pace).await {
            // A sealed vault is told of elsewhere.
            Ok(()) | Err(VaultError::Locked(_)) => {}
            Err(error) => tracing::warn!(
                error = &error as &(dyn Error + 'static),
                "keys cannot be rewrapped now, they are looked at again later"
            ),
        }
        sleep(pace.look_every).await;
    }
}

async fn rewrap(keeper: &dyn VaultKeeper, pace: &RewrapPace) -> Result<(), VaultError> {
    let mut standing = keeper.key_standing().await?;
    let began_with = standing.waiting;
    loop {
        metrics::gauge!("tintype_vault_rewrap_waiting").set(as_number(standing.waiting));
        metrics::gauge!("tintype_vault_rewrap_failed").set(as_number(standing.failed));
        if standing.waiting == 0 {
            break;
        }
        let next = keeper.rewrap(pace.batch).await?;
        // What cannot be opened waits for ever: another try now would not help.
        if next.waiting >= standing.waiting {
            standing = next;
            break;
        }
        standing = next;
        sleep(pace.pause).await;
    }
    if began_with > 0 {
        tracing::info!(
            key.newest = standing.newest,
            rewrapped = began_with.saturating_sub(standing.waiting),
            waiting = standing.waiting,
            failed = standing.failed,
            "keys were rewrapped"
        );
    }
    Ok(())
}

fn as_number(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
