//! How often Redis was asked, by its own count.

use serde::Serialize;

use crate::Failure;

/// Round trips since Redis started.
#[derive(Serialize)]
pub(crate) struct Calls {
    /// Scripts: all that quota, events and the bell ask.
    scripts: u64,
    /// Of these the quota's; each of them reads its pool once, and nobody else reads in this way.
    of_quota: u64,
}

/// Reads `INFO commandstats`.
pub(crate) async fn count(url: &str) -> Result<Calls, Failure> {
    let client = redis::Client::open(url)?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    let stats: String = redis::cmd("INFO")
        .arg("commandstats")
        .query_async(&mut connection)
        .await?;
    let of = |command: &str| {
        let line = stats
            .lines()
            .find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
        let count = line.and_then(|line| line.split(',').next()?.parse::<u64>().ok());
        count.unwrap_or(0)
    };
    Ok(Calls {
        scripts: of("evalsha") + of("eval"),
        of_quota: of("hmget"),
    })
}
