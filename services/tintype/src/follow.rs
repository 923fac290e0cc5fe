//! Watches a run until it ends, comes to rest, or this process is asked to stop.

use std::time::Duration;

use futures::StreamExt;
use tintype_app::App;
use tintype_model::{
    ErrorKind, RunId, TenantId,
    progress::Progress,
    run::{Run, RunState},
};
use tintype_ports::{
    StoreError,
    events::{Event, Published, Seen},
};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::{failure::Failure, render::RunView};

/// How often the catalogue is read besides: the bus is only sight, and may lose events.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Where the watching ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The run is over.
    Over(Run),
    /// It waits: for quota, for a sign-in, or for a person to mend something.
    Waits(Run),
    /// This process was asked to stop.
    Interrupted,
}

/// What to watch for.
pub(crate) struct Follow {
    /// Whose run.
    pub(crate) tenant: TenantId,
    /// The run.
    pub(crate) run: RunId,
    /// Whether to stay when the run waits.
    pub(crate) wait: bool,
    /// Cancelled when this process is asked to stop.
    pub(crate) stop: CancellationToken,
}

impl Follow {
    /// Watches, and shows what it sees.
    pub(crate) async fn show(&self, app: &App, view: &mut RunView) -> Result<Ended, Failure> {
        let mut events = app.ports().events.watch(self.tenant, None).await?;
        let mut tick = interval(LOOK_AGAIN);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told = RunState::Queued;
        loop {
            let state_may_differ = tokio::select! {
                () = self.stop.cancelled() => return Ok(Ended::Interrupted),
                _ = tick.tick() => true,
                seen = events.next() => match seen {
                    Some(Seen::Event(Published { event, .. })) => self.note(event, view),
                    Some(Seen::Gap) => true,
                    // The bus is gone with its process; the tick goes on looking.
                    None => { tick.tick().await; true }
                },
            };
            if !state_may_differ {
                continue;
            }
            let run = load(app, self.tenant, self.run).await?;
            let progress = self.progress(app).await?;
            view.update(&progress);
            let state = run.status.state;
            if state.is_final() {
                return Ok(Ended::Over(run));
            }
            if state.is_runnable() || state == RunState::Pausing {
                told = state;
                continue;
            }
            if !self.wait {
                return Ok(Ended::Waits(run));
            }
            if told != state {
                told = state;
                view.rests(&run);
            }
        }
    }

    /// Shows an event of the run; true when its state changed.
    fn note(&self, event: Event, view: &mut RunView) -> bool {
        match event {
            Event::RunProgressed { run, progress } if run == self.run => {
                view.update(&progress);
                false
            }
            Event::RunChanged { run, .. } => run == self.run,
            Event::RunProgressed { .. } | Event::AccountExpiring { .. } => false,
        }
    }

    /// The run's counts.
    pub(crate) async fn progress(&self, app: &App) -> Result<Progress, Failure> {
        Ok(app.ports().store.progress(self.tenant, self.run).await?)
    }
}

async fn load(app: &App, tenant: TenantId, id: RunId) -> Result<Run, Failure> {
    let found = app.ports().store.run(tenant, id).await?;
    found.ok_or_else(|| StoreError::NotFound(format!("run {id}")).into())
}

/// The exit code of a run that waits.
pub(crate) fn exit_of_waiting(run: &Run) -> u8 {
    match run.status.state {
        RunState::WaitingQuota => ErrorKind::QuotaExhausted.exit_code(),
        RunState::WaitingAuth => ErrorKind::AuthLost.exit_code(),
        _ => run
            .status
            .reason
            .as_ref()
            .map_or(1, |reason| reason.kind.exit_code()),
    }
}
