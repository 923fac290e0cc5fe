//! A run that a command works on in its own process, from its start to where it ends or rests.

use std::{process::ExitCode, time::Instant};

use tintype_app::{App, runs::RunChoice};
use tintype_model::plan::Plan;
use tintype_runtime::Lifecycle;

use super::outcome::Outcome;
use crate::{
    config::Profile,
    engine::Engine,
    failure::Failure,
    follow::{Ended, Follow},
    place::Place,
    render::{Console, RunView},
    setup,
};

/// What to run, and what to call it.
pub(super) struct Job<'a> {
    pub(super) plan: &'a Plan,
    pub(super) choice: RunChoice,
    /// Stay when the run has to wait.
    pub(super) wait: bool,
    /// The place at the other end than Google.
    pub(super) place: &'a Place,
    pub(super) profile: &'a Profile,
    /// What stands above a new run.
    pub(super) title: &'a str,
    /// What it does, as a participle.
    pub(super) doing: &'static str,
}

impl Job<'_> {
    /// Runs it, or goes on with the run that was interrupted.
    pub(super) async fn run(
        &self,
        app: &App,
        console: &Console,
        life: &Lifecycle,
    ) -> Result<Outcome, Failure> {
        let (run, goes_on) = setup::start_or_go_on(app, self.plan, self.choice).await?;
        console.title(&match goes_on {
            true => format!("Going on with {}", run.id),
            false => self.title.to_owned(),
        });
        let begun = Instant::now();
        let follow = Follow {
            tenant: self.plan.tenant,
            run: run.id,
            wait: self.wait,
            stop: life.draining(),
        };
        let mut view = RunView::new(console, self.doing);
        let ended = follow.show(app, &mut view).await?;
        drop(view);
        let run = match ended {
            Ended::Over(run) | Ended::Waits(run) => Some(run),
            Ended::Interrupted => None,
        };
        let took = begun.elapsed();
        Outcome::gather(
            app,
            self.plan,
            follow.run,
            run,
            took,
            self.place,
            self.profile,
        )
        .await
    }
}

/// Stops the engine in good order and tells what came of the job; `None`: there was none.
pub(super) async fn conclude(
    engine: Engine,
    outcome: Result<Option<Outcome>, Failure>,
    console: &Console,
    life: &Lifecycle,
    as_json: bool,
) -> Result<ExitCode, Failure> {
    if life.is_draining() {
        console.say("stopping: finishing what is at hand …");
    }
    engine.drain().await?;
    let Some(outcome) = outcome? else {
        return Ok(ExitCode::SUCCESS);
    };
    outcome.tell(console);
    if as_json {
        crate::render::json(&outcome.report());
    }
    Ok(ExitCode::from(outcome.exit_code()))
}
