//! Room in the spool: a bound on the bytes that wait, which can never lock up.

use std::sync::Arc;

use tintype_ports::ArchiveError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const UNIT: u64 = 1024;

/// The room there is. When it is used up, writers wait; one at a time may go beyond it, so that files that are half spooled
/// never wait for each other.
#[derive(Clone)]
pub(super) struct Room {
    units: Arc<Semaphore>,
    beyond: Arc<Semaphore>,
}

/// Room that is taken; dropped, it is given back.
#[derive(Default)]
pub(crate) struct Rented {
    taken: Option<OwnedSemaphorePermit>,
    beyond: Option<OwnedSemaphorePermit>,
}

impl Room {
    pub(super) fn new(bytes: u64) -> Self {
        let units = usize::try_from(bytes / UNIT).unwrap_or(usize::MAX);
        Self {
            units: Arc::new(Semaphore::new(units.min(Semaphore::MAX_PERMITS))),
            beyond: Arc::new(Semaphore::new(1)),
        }
    }

    /// Takes room for more bytes, waiting when there is none.
    pub(super) async fn rent(&self, rented: &mut Rented, bytes: usize) -> Result<(), ArchiveError> {
        if rented.beyond.is_some() {
            return Ok(());
        }
        let wanted = u32::try_from((bytes as u64).div_ceil(UNIT)).unwrap_or(u32::MAX);
        let closed = |_| ArchiveError::Unavailable("the spool is closed".to_owned());
        tokio::select! {
            biased;
            room = Arc::clone(&self.units).acquire_many_owned(wanted) => {
                let room = room.map_err(closed)?;
                match &mut rented.taken {
                    Some(taken) => taken.merge(room),
                    None => rented.taken = Some(room),
                }
            }
            turn = Arc::clone(&self.beyond).acquire_owned() => {
                rented.beyond = Some(turn.map_err(closed)?);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn files_that_are_half_spooled_never_wait_for_each_other() {
        let room = Room::new(4 * UNIT);
        let write_file = |room: Room| async move {
            let mut rented = Rented::default();
            for _ in 0..8 {
                room.rent(&mut rented, 1024).await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        let files: Vec<_> = (0..16)
            .map(|_| tokio::spawn(write_file(room.clone())))
            .collect();
        for file in files {
            tokio::time::timeout(Duration::from_secs(5), file)
                .await
                .unwrap()
                .unwrap();
        }
        assert_eq!(
            (
                room.units.available_permits(),
                room.beyond.available_permits()
            ),
            (4, 1)
        );
    }
}
