//! Keeps a lease alive while its shard is worked on, and tells the work when to stop.

use std::time::{Duration, Instant};

use tintype_model::shard::Lease;
use tintype_ports::StoreError;
use tokio_util::sync::CancellationToken;

use crate::{App, runs::describe};

/// Pauses and cancellations are noticed at least this often.
const NOTICE: Duration = Duration::from_millis(250);

/// How a shard learns that it should stop.
#[derive(Debug, Clone)]
pub(crate) struct Halt {
    /// Finish what is under way, then hand the shard back.
    pub(crate) hand_back: CancellationToken,
    /// The lease is somebody else's: drop everything, write nothing.
    pub(crate) lost: CancellationToken,
}

impl Halt {
    /// Hands back when `stop` does.
    pub(crate) fn below(stop: &CancellationToken) -> Self {
        Self {
            hand_back: stop.child_token(),
            lost: CancellationToken::new(),
        }
    }
}

impl App {
    /// Renews until it is dropped or the lease is lost.
    pub(crate) async fn keep_alive(&self, lease: &Lease, halt: &Halt) {
        let pause = NOTICE.min(self.settings.lease / 3);
        let mut alive_at = Instant::now();
        loop {
            tokio::time::sleep(pause).await;
            match self.ports.store.renew(lease, self.settings.lease).await {
                Ok(around) => {
                    alive_at = Instant::now();
                    self.permits.spread(lease.shard.tenant, &around);
                    if around.recalled {
                        tracing::debug!("the shard goes back, for a tenant that waits");
                        halt.hand_back.cancel();
                    }
                    if !around.state.is_runnable() {
                        tracing::debug!(
                            run.state = around.state.as_str(),
                            "the run rests; its shard goes back"
                        );
                        halt.hand_back.cancel();
                    }
                }
                Err(StoreError::LeaseLost) => {
                    halt.lost.cancel();
                    halt.hand_back.cancel();
                    return;
                }
                Err(error) => {
                    tracing::warn!(error = %describe(&error), "a lease could not be renewed");
                    if alive_at.elapsed() > self.settings.lease {
                        // Every write is fenced, so going on would do no harm, but it would be in vain.
                        halt.lost.cancel();
                        halt.hand_back.cancel();
                        return;
                    }
                }
            }
        }
    }
}
