//! Workers that are there, and the scheduler that leads.

use tintype_app::App;

use crate::{
    failure::Failure,
    render::{self, Table, count, out, span},
};

pub(super) async fn run(app: &App, json: bool) -> Result<(), Failure> {
    let ports = app.ports();
    let workers = ports.store.workers().await?;
    let leader = app.leader().await?;
    if json {
        render::json(&serde_json::json!({ "workers": workers, "leader": leader }));
        return Ok(());
    }
    match &leader {
        Some(lease) => {
            let left = (lease.expires_at - ports.clock.now()).to_std();
            out(&format!(
                "scheduler {} leads (epoch {}, for {} more)",
                lease.holder,
                lease.epoch,
                span(left.unwrap_or_default())
            ));
        }
        None => out("no scheduler leads: nothing is dispatched"),
    }
    if workers.is_empty() {
        out("no worker is there: nothing is worked on");
        return Ok(());
    }
    let mut table = Table::new(["worker", "id", "slots"]).words(2);
    for worker in &workers {
        table.row([
            worker.name.clone(),
            worker.id.to_string(),
            count(worker.slots.into()),
        ]);
    }
    for line in table.lines() {
        out(&line);
    }
    Ok(())
}
