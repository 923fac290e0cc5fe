//! Runs: queued here, worked on by the processes of the install.

use std::time::{Duration, Instant};

use serde_json::json;
use tintype_app::{AppError, runs::RunChoice};
use tintype_model::{
    RunId, TenantId,
    run::{Run, RunState},
};
use tokio::time::sleep;

use crate::{
    Failure,
    customers::{Connected, connected},
    gateway::Gateway,
    print,
};

/// The error of what is timed by looking. Looking more often would itself take a good part of the machine.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Between two looks at many tenants.
const LOOK_AT_ALL_EVERY: Duration = Duration::from_millis(100);
/// Longer than any run of a sound machine.
const STUCK_AFTER: Duration = Duration::from_secs(2 * 3_600);
/// The longest rest between two runs on an idle system: they begin anywhere between two looks of the scheduler.
const LONGEST_REST: Duration = Duration::from_millis(600);

/// The one place where a run is asked for.
async fn queue_run(gateway: &Gateway, of: &Connected, choice: RunChoice) -> Result<Run, AppError> {
    gateway.app.start_run(of.tenant, of.plan, choice).await
}

async fn state(gateway: &Gateway, tenant: TenantId, run: RunId) -> Result<RunState, Failure> {
    let found = gateway.app.ports().store.run(tenant, run).await?;
    Ok(found.ok_or("the run is gone")?.status.state)
}

async fn until_over(gateway: &Gateway, run: &Run) -> Result<RunState, Failure> {
    let began = Instant::now();
    loop {
        let state = state(gateway, run.tenant, run.id).await?;
        if state.is_final() {
            return Ok(state);
        }
        if began.elapsed() > STUCK_AFTER {
            return Err(format!("the run is still {}", state.as_str()).into());
        }
        sleep(LOOK_EVERY).await;
    }
}

async fn stored(gateway: &Gateway, runs: &[Run]) -> Result<Vec<u64>, Failure> {
    let mut stored = Vec::with_capacity(runs.len());
    for run in runs {
        let progress = gateway
            .app
            .ports()
            .store
            .progress(run.tenant, run.id)
            .await?;
        stored.push(progress.stored);
    }
    Ok(stored)
}

async fn queue_all(gateway: &Gateway) -> Result<Vec<Run>, Failure> {
    let mut runs = Vec::new();
    for of in &connected(gateway)? {
        runs.push(queue_run(gateway, of, RunChoice::Full).await?);
    }
    Ok(runs)
}

/// Every plan at once, from queued to over.
pub(crate) async fn back_up(gateway: &Gateway) -> Result<(), Failure> {
    let began = Instant::now();
    let runs = queue_all(gateway).await?;
    let mut states = Vec::with_capacity(runs.len());
    for run in &runs {
        states.push(until_over(gateway, run).await?.as_str());
    }
    let wall_s = began.elapsed().as_secs_f64();
    let stored = stored(gateway, &runs).await?;
    print(&json!({"wall_s": wall_s, "states": states, "stored": stored}))
}

/// One run after the other. `queued_at_ms` is the time just before the run was asked for.
pub(crate) async fn dispatch(gateway: &Gateway, runs: u32) -> Result<(), Failure> {
    let all = connected(gateway)?;
    let of = all.first().ok_or("nobody is connected")?;
    let ports = gateway.app.ports();
    for _ in 0..runs {
        sleep(LONGEST_REST.mul_f64(ports.entropy.unit())).await;
        let queued_at = ports.clock.now();
        let asked = Instant::now();
        let run = queue_run(gateway, of, RunChoice::Routine).await?;
        let written_ms = asked.elapsed().as_secs_f64() * 1e3;
        let state = until_over(gateway, &run).await?;
        #[expect(
            clippy::cast_precision_loss,
            reason = "microseconds of this century fit"
        )]
        let queued_at_ms = queued_at.timestamp_micros() as f64 / 1e3;
        print(&json!({
            "queued_at_ms": queued_at_ms,
            "written_ms": written_ms,
            "state": state.as_str(),
        }))?;
    }
    Ok(())
}

/// How much every tenant got while all of them had work: from when each had its first photo until one had its last.
pub(crate) async fn share(gateway: &Gateway) -> Result<(), Failure> {
    let runs = queue_all(gateway).await?;
    let began = Instant::now();
    let mut since: Option<(Instant, Vec<u64>)> = None;
    loop {
        let now = stored(gateway, &runs).await?;
        let mut is_over = false;
        for run in &runs {
            is_over |= state(gateway, run.tenant, run.id).await?.is_final();
        }
        match &since {
            None if is_over => return Err("a tenant was done before all had begun".into()),
            None if now.iter().all(|count| *count > 0) => since = Some((Instant::now(), now)),
            Some((at, before)) if is_over => {
                let got: Vec<u64> = now.iter().zip(before).map(|(now, was)| now - was).collect();
                print(&json!({"got": got, "seconds": at.elapsed().as_secs_f64()}))?;
                break;
            }
            _ => {}
        }
        if began.elapsed() > STUCK_AFTER {
            return Err("no tenant gets done".into());
        }
        sleep(LOOK_AT_ALL_EVERY).await;
    }
    for run in &runs {
        match gateway.app.cancel_run(run.tenant, run.id).await {
            // It ended by itself.
            Ok(_) | Err(AppError::Refused(_)) => {}
            Err(error) => return Err(error.into()),
        }
        until_over(gateway, run).await?;
    }
    // Work that was under way is handed back before somebody else is measured.
    while gateway.app.ports().store.load().await?.in_flight > 0 {
        if began.elapsed() > STUCK_AFTER {
            return Err("cancelled work is not handed back".into());
        }
        sleep(LOOK_AT_ALL_EVERY).await;
    }
    Ok(())
}
