//! Runs that wait for a person to pick: looked at as often as Google asks for, less often the longer it takes. The look is made
//! here rather than by the run's shard, which would take a slot and leave the state in which people see the link.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use tintype_model::{
    ErrorKind, RunId, TenantId,
    run::{Run, RunEvent, RunReason, RunState},
    storage::StorageSettings,
};
use tintype_ports::{
    PhotoError,
    photos::{Persistence, PickSessionId},
    vault::Grant,
};

use crate::{App, AppError, AppResult, runs::describe, worker::Cursor, worker::gate::Gate};

/// Looks at the same time, at most; others wait for the next tick.
pub(crate) const LOOKS: usize = 16;
/// A look that takes longer has failed.
const LOOK_WITHIN: Duration = Duration::from_secs(20);
/// Who has not picked by then is looked after so often.
const PATIENCE: [(TimeDelta, Duration); 2] = [
    (TimeDelta::minutes(10), Duration::from_secs(15)),
    (TimeDelta::hours(1), Duration::from_secs(60)),
];

impl App {
    /// Puts off a run that waits for picks and looks whether there are some, in a task of its own. False: it waits for nothing of
    /// that kind, and is to go on.
    pub(super) async fn look_for_picks(&self, tenant: TenantId, id: RunId) -> AppResult<bool> {
        let run = self.run(tenant, id).await?;
        let Some(reason) = awaits_picks(&run) else {
            return Ok(false);
        };
        let Some(Cursor::Picking { session, .. }) = self.cursor_of(tenant, id).await? else {
            return Ok(false);
        };
        let now = self.ports.clock.now();
        let waited = now - run.created_at;
        let slower = PATIENCE.iter().rev().find(|(after, _)| waited > *after);
        let pause = slower.map_or(self.settings.pick_poll, |(_, pause)| *pause);
        let pause = pause.max(self.settings.pick_poll);
        let event = RunEvent::UserNeeded {
            reason,
            retry_at: TimeDelta::from_std(pause).ok().map(|pause| now + pause),
        };
        self.change_run(tenant, id, &event).await?;
        if let Ok(place) = Arc::clone(&self.looks).try_acquire_owned() {
            let app = self.clone();
            tokio::spawn(async move {
                let _place = place;
                let look = app.look_at_session(&run, &session);
                let looked = tokio::time::timeout(LOOK_WITHIN, look).await;
                if let Ok(Err(error)) = looked {
                    tracing::warn!(run.id = %run.id, error = %describe(&error), "a picking session could not be looked at");
                }
            });
        }
        Ok(true)
    }

    /// Wakes the run when there is something for its shard to do: picks, or trouble that it will meet in its turn.
    async fn look_at_session(&self, run: &Run, session: &PickSessionId) -> AppResult<()> {
        let plan = self.plan(run.tenant, run.plan).await?;
        let storage = self.storage(run.tenant, plan.source).await?;
        let StorageSettings::GooglePhotos(settings) = storage.settings else {
            return Ok(());
        };
        let grant = Grant {
            tenant: run.tenant,
            storage: storage.id,
            run: Some(run.id),
            purpose: "list".into(),
        };
        let gate = Arc::new(Gate::new(self, grant, settings.project).uncounted());
        let picker = self.ports.sources.open_picker(gate, Persistence::Once);
        match picker.look(session).await {
            Ok(session) if !session.is_picked => return Ok(()),
            Err(error @ (PhotoError::Unavailable(_) | PhotoError::Vault(_))) => {
                return Err(error.into());
            }
            _ => {}
        }
        match self
            .change_run(run.tenant, run.id, &RunEvent::Resumed)
            .await
        {
            // Somebody else moved it on.
            Ok(_) | Err(AppError::Refused(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn awaits_picks(run: &Run) -> Option<RunReason> {
    let reason = run.status.reason.clone()?;
    let waits = run.status.state == RunState::WaitingUser && reason.kind == ErrorKind::PickAwaited;
    waits.then_some(reason)
}
