//! Who works on what.

use tintype_app::App;

use super::show;
use crate::{
    failure::Failure,
    render::{Table, count, span},
};

pub(super) async fn run(app: &App, limit: u32, json: bool) -> Result<(), Failure> {
    let ports = app.ports();
    let leases = ports.store.open_leases(limit).await?;
    let workers = ports.store.workers().await?;
    let now = ports.clock.now();
    show(json, &leases, "nobody works on anything", || {
        let mut table = Table::new([
            "shard", "kind", "run", "worker", "items", "held for", "ends in",
        ])
        .words(4);
        for lease in &leases {
            let worker = workers.iter().find(|it| it.id == lease.worker);
            let held = (now - lease.leased_at).to_std().unwrap_or_default();
            let left = (lease.expires_at - now).to_std().unwrap_or_default();
            table.row([
                lease.shard.id.to_string(),
                lease.shard.kind.as_str().into(),
                lease.shard.run.to_string(),
                worker.map_or_else(|| lease.worker.to_string(), |it| it.name.clone()),
                count(lease.shard.items.into()),
                span(held),
                span(left),
            ]);
        }
        table
    });
    Ok(())
}
