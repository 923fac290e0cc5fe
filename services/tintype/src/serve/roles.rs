//! The services profile: the roles that this process is given.

use tintype_model::ErrorKind;
use tintype_runtime::{Lifecycle, metrics::Metrics};
use tokio::{net::TcpListener, task::JoinSet};

use super::{
    GRACE, Role,
    config::{Config, needed, wrong},
    ops,
};
use crate::{failure::Failure, wire};

type Tasks = JoinSet<Result<(), Failure>>;

/// Serves until it is asked to stop, or a role fails.
pub(super) async fn run(
    config: &Config,
    roles: &[Role],
    metrics: Metrics,
    life: &Lifecycle,
) -> Result<(), Failure> {
    let has = |role| roles.contains(&role);
    if has(Role::Migrate) {
        wire::migrate(config).await?;
    }
    let mut tasks = Tasks::new();
    let mut checks = Vec::new();
    if has(Role::Vault) {
        let vault = wire::vault(config, life).await?;
        checks.push(vault.check());
        let life = life.clone();
        tasks.spawn(async move { vault.run(&life).await });
    }
    if has(Role::Worker) || has(Role::Scheduler) || has(Role::Gateway) {
        let services = wire::services(config, life).await?;
        if has(Role::Gateway) {
            gateway(config, &services, &mut tasks, life).await?;
        }
        if has(Role::Scheduler) {
            let (app, stop) = (services.app().clone(), life.draining());
            tasks.spawn(async move {
                app.schedule(stop).await;
                Ok(())
            });
        }
        if has(Role::Worker) {
            let (app, stop) = (services.app().clone(), life.draining());
            tasks.spawn(async move {
                app.work(stop).await;
                Ok(())
            });
        }
        checks.extend(services.checks());
    }
    match &config.ops {
        Some(settings) if !tasks.is_empty() => {
            ops::listen(settings, checks, metrics, life).await?;
        }
        _ => {}
    }
    tracing::info!(?roles, "serving");
    ended(tasks, life).await
}

async fn gateway(
    config: &Config,
    services: &wire::Services,
    tasks: &mut Tasks,
    life: &Lifecycle,
) -> Result<(), Failure> {
    let settings = needed(config.gateway.as_ref(), "gateway")?;
    let token = settings.operator_token()?;
    let token = token.ok_or_else(|| wrong("gateway.operator_token", "is missing"))?;
    let listener = TcpListener::bind(settings.listen)
        .await
        .map_err(|error| wrong("gateway.listen", error))?;
    tracing::info!(gateway.address = %listener.local_addr()?, "the gateway listens");
    let router = tintype_gateway::router(services.gateway(config, token, life)?);
    let drain = life.draining();
    tasks.spawn(async move {
        let served = tintype_gateway::serve(listener, router, drain, GRACE).await;
        served.map_err(Failure::from)
    });
    Ok(())
}

async fn ended(mut tasks: Tasks, life: &Lifecycle) -> Result<(), Failure> {
    let mut ended = Ok(());
    while let Some(task) = tasks.join_next().await {
        let outcome = task.unwrap_or_else(|error| {
            let message = format!("a role ended in a defect: {error}");
            Err(Failure::new(ErrorKind::Internal, message))
        });
        // One role that fails takes the process along: whoever started it starts it anew.
        if outcome.is_err() {
            life.drain();
        }
        ended = ended.and(outcome);
    }
    ended
}
