//! One scheduler leads: it holds a lease in the database. The others look on.

use std::time::{Duration, Instant};

use tintype_model::WorkerId;

use crate::{App, AppResult};

/// The lease's name.
pub(crate) const NAME: &str = "scheduler";

/// Whether this process leads. Its own clock runs from before each question, so that it never thinks so for longer than the
/// database does.
#[derive(Debug)]
pub(super) struct Lead {
    me: WorkerId,
    until: Option<Instant>,
    asked_at: Option<Instant>,
}

impl Lead {
    pub(super) const fn new(me: WorkerId) -> Self {
        Self {
            me,
            until: None,
            asked_at: None,
        }
    }

    /// Whether this process leads right now.
    pub(super) fn is_held(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() < until)
    }

    fn is_fresh(&self, ttl: Duration) -> bool {
        self.is_held() && self.asked_at.is_some_and(|at| at.elapsed() < ttl / 4)
    }

    /// Takes or extends the lease, where that is due. True while this process leads.
    pub(super) async fn hold(&mut self, app: &App) -> AppResult<bool> {
        let ttl = app.settings.lead;
        if self.is_fresh(ttl) {
            return Ok(true);
        }
        let asked_at = Instant::now();
        let held = app.ports.store.take_lease(NAME, self.me, ttl).await?;
        let led = self.until.is_some();
        self.asked_at = Some(asked_at);
        // A little early: work that begins now should still be covered.
        self.until = held.as_ref().map(|_| asked_at + ttl.mul_f64(0.9));
        if led != held.is_some() {
            tracing::info!(
                scheduler.leads = held.is_some(),
                scheduler.epoch = held.as_ref().map(|it| it.epoch),
                "the lead changed"
            );
        }
        metrics::gauge!("tintype_is_leader").set(f64::from(u8::from(held.is_some())));
        Ok(held.is_some())
    }

    /// Lets another one lead at once.
    pub(super) async fn resign(&mut self, app: &App) -> AppResult<()> {
        metrics::gauge!("tintype_is_leader").set(0.0);
        if self.until.take().is_some() {
            app.ports.store.drop_lease(NAME, self.me).await?;
        }
        Ok(())
    }
}
