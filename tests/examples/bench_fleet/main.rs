//! The hands of `cargo xtask bench services`: what it needs of an install that only code of ours can do. One command a call;
//! what it finds goes to standard output, one JSON line each.
//!
//! `bench_fleet FOLDER COMMAND`, where `FOLDER/install.json` says where the servers are:
//! - `prepare`: certificates, keys and settings for `tintype serve` into the folder
//! - `ready WORKERS`: waits until the vault answers and so many workers have signed on
//! - `connect`: a tenant with account, folder and plan for each of `customers.json`; replaces `plans.json`
//! - `back-up`: a full run of each plan, to its end
//! - `dispatch RUNS`: runs of the first plan one after the other, on a system that is idle in between
//! - `share`: full runs of all plans at once until the first tenant has everything, then cancels them
//! - `tokens RATE SECONDS`: access tokens of all tenants in turn, at this rate
//! - `stampede CALLS`: so many calls at once for one token that has to be refreshed
//! - `redis`: how often Redis was asked so far

mod customers;
mod gateway;
mod install;
mod redis_calls;
mod runs;
mod tokens;

use std::{env, error::Error, path::Path};

use serde::Serialize;

use gateway::Gateway;
use install::Servers;

/// Whatever keeps a command from being done.
type Failure = Box<dyn Error + Send + Sync>;

fn print(line: &impl Serialize) -> Result<(), Failure> {
    println!("{}", serde_json::to_string(line)?);
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [folder, command @ ..] = words.as_slice() else {
        return Err("usage: bench_fleet FOLDER COMMAND".into());
    };
    let folder = Path::new(folder);
    let servers = Servers::read(folder)?;
    match command {
        ["prepare"] => return install::prepare(folder, &servers),
        ["redis"] => return print(&redis_calls::count(&servers.redis).await?),
        _ => {}
    }
    let gateway = Gateway::open(folder, &servers).await?;
    match command {
        ["ready", workers] => gateway.ready(workers.parse()?).await,
        ["connect"] => customers::connect(&gateway).await,
        ["back-up"] => runs::back_up(&gateway).await,
        ["dispatch", runs] => runs::dispatch(&gateway, runs.parse()?).await,
        ["share"] => runs::share(&gateway).await,
        ["tokens", rate, seconds] => {
            tokens::at_rate(&gateway, rate.parse()?, seconds.parse()?).await
        }
        ["stampede", calls] => tokens::stampede(&gateway, calls.parse()?).await,
        other => Err(format!("there is no command {other:?}").into()),
    }
}
