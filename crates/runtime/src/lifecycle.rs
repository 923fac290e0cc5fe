//! How a program ends: first it stops taking work, then, if that takes too long or is asked again, it stops at once.

use std::{
    fmt, io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// The two stages of stopping. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    draining: CancellationToken,
    stopping: CancellationToken,
    last: Last,
}

/// One of the last things a program does, and how long it may take.
type LastThing = (Duration, Pin<Box<dyn Future<Output = ()> + Send>>);

#[derive(Clone, Default)]
struct Last(Arc<Mutex<Vec<LastThing>>>);

impl Last {
    fn push(&self, thing: LastThing) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(thing);
    }

    fn pop(&self) -> Option<LastThing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

impl fmt::Debug for Last {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Last")
    }
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

    /// Has [`Self::finish`] do this, for at most `within`.
    pub fn at_the_end(&self, within: Duration, thing: impl Future<Output = ()> + Send + 'static) {
        self.last.push((within, Box::pin(thing)));
    }

    /// Does what was asked for [at the end](Self::at_the_end), the newest first: to be called when all work is over, however it
    /// ended. A second call has nothing to do.
    pub async fn finish(&self) {
        while let Some((within, thing)) = self.last.pop() {
            if timeout(within, thing).await.is_err() {
                tracing::debug!(
                    limit.ms = within.as_millis(),
                    "one of the last things took too long and was given up"
                );
            }
        }
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
    async fn the_last_things_are_done_newest_first_each_within_its_time() {
        let life = Lifecycle::new();
        let done = Arc::new(Mutex::new(Vec::new()));
        let note = |name: &'static str, takes: u64| {
            let done = Arc::clone(&done);
            async move {
                sleep(Duration::from_secs(takes)).await;
                done.lock().unwrap().push(name);
            }
        };
        life.at_the_end(Duration::from_secs(5), note("first", 1));
        life.at_the_end(Duration::from_secs(5), note("too slow", 60));
        life.clone()
            .at_the_end(Duration::from_secs(5), note("last", 0));
        let began = tokio::time::Instant::now();
        life.finish().await;
        life.finish().await;
        assert_eq!(*done.lock().unwrap(), ["last", "first"]);
        assert_eq!(began.elapsed().as_secs(), 6);
    }

    #[tokio::test(start_paused = true)]
    async fn stopping_at_once_is_draining_too() {
        let life = Lifecycle::new();
        life.stop();
        assert!(life.is_draining());
        life.on_signals(Duration::MAX).unwrap().await;
    }
}
