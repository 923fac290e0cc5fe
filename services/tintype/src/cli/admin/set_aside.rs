//! Shards that failed too often and rest until they are put back.

use tintype_app::App;

use super::show;
use crate::{
    failure::Failure,
    render::{Table, printable},
};

pub(super) async fn run(app: &App, limit: u32, json: bool) -> Result<(), Failure> {
    let aside = app.ports().store.shards_set_aside(limit).await?;
    show(json, &aside, "nothing was set aside", || {
        let mut table = Table::new(["shard", "kind", "run", "tenant", "reason"]).words(5);
        for it in &aside {
            table.row([
                it.shard.id.to_string(),
                it.shard.kind.as_str().into(),
                it.shard.run.to_string(),
                it.shard.tenant.to_string(),
                printable(&it.reason),
            ]);
        }
        table
    });
    Ok(())
}
