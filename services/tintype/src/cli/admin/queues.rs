//! How full each job queue is.

use tintype_app::App;

use super::show;
use crate::{
    failure::Failure,
    render::{Table, count},
};

pub(super) async fn run(app: &App, json: bool) -> Result<(), Failure> {
    let queues = app.ports().queue.standing().await?;
    show(json, &queues, "there are no queues", || {
        let mut table = Table::new(["queue", "waiting", "in flight", "consumers"]);
        for queue in &queues {
            table.row([
                queue.name.clone(),
                count(queue.waiting),
                queue.in_flight.map_or_else(|| "?".into(), count),
                count(queue.consumers),
            ]);
        }
        table
    });
    Ok(())
}
