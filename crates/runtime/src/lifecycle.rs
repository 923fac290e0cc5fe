//! How a program ends: first it stops taking work, then, if that takes too long or is asked again, it stops at once.

use std::{io, time::Duration};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// The two stages of stopping. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    draining: CancellationToken,
    stopping: CancellationToken,
}

impl Lifecycle {
    /// A program that runs.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// First stage: take no new work, finish what is at hand.
    pub fn drain(&self) {
        self.draining.cancel();
    }

    /// Second stage: drop what is at hand. Includes the first.
    pub fn stop(&self) {
        self.draining.cancel();
        self.stopping.cancel();
    }

    /// Cancelled when no new work may be taken.
    #[must_use]
    pub fn draining(&self) -> CancellationToken {
        self.draining.clone()
    }

    /// Cancelled when what is at hand must be dropped.
    #[must_use]
    pub fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// True from the first stage on.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.is_cancelled()
    }

    /// Listens to Ctrl-C and, on Unix, SIGTERM from now on: the first begins the first stage, another one, or the end
    /// of `grace`, the second. The answer is done when the second stage begins; dropping it gives up listening, though
    /// the signals keep no longer ending the process by themselves.
    ///
    /// # Errors
    /// When the signals cannot be listened to.
    pub fn on_signals(
        &self,
        grace: Duration,
    ) -> io::Result<impl Future<Output = ()> + Send + 'static> {
        let signals = Signals::new()?;
        Ok(self.clone().follow(signals, grace))
    }

    async fn follow(self, mut signals: Signals, grace: Duration) {
        tokio::select! {
            () = signals.next() => tracing::info!("asked to stop: finishing what is at hand"),
            () = self.draining.cancelled() => {}
        }
        self.drain();
        tokio::select! {
            () = signals.next() => tracing::warn!("asked to stop again: stopping at once"),
            () = sleep(grace) => tracing::warn!(grace.seconds = grace.as_secs(), "stopping at once after the time of grace"),
            () = self.stopping.cancelled() => {}
        }
        self.stop();
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
}

#[cfg(windows)]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: tokio::signal::windows::ctrl_c()?,
        })
    }

    async fn next(&mut self) {
        self.interrupt.recv().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn draining_leads_to_stopping_after_the_time_of_grace() {
        let life = Lifecycle::new();
        let watch = life.on_signals(Duration::from_secs(20)).unwrap();
        let watch = tokio::spawn(watch);
        assert!(!life.is_draining());
        life.drain();
        sleep(Duration::from_secs(19)).await;
        assert!(!life.stopping().is_cancelled());
        watch.await.unwrap();
        assert!(life.stopping().is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn stopping_at_once_is_draining_too() {
        let life = Lifecycle::new();
        life.stop();
        assert!(life.is_draining());
        life.on_signals(Duration::MAX).unwrap().await;
    }
}
