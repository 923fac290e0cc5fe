//! Who runs: ours, rclone, and the floor. Each into an empty folder, over the same proxy and TLS. How they upload is in
//! `upload/peers.rs`.

pub(super) mod floor;
pub(super) mod ours;
pub(super) mod rclone;

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use super::Bench;
use super::calls::Calls;
use super::emulator::{Emulator, Library};
use super::measure::{self, Cost};
use super::scratch;

/// Longer than the slowest run of a sound machine by far: a run that takes so long is stuck.
const DEADLINE: Duration = Duration::from_secs(30 * 60);

/// A program with the settings it runs under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    /// `tintype backup`; `None` finds the number of downloads at once by itself.
    Ours { transfers: Option<u16> },
    /// One `rclone copy`.
    Rclone { transfers: u16 },
    /// Four `rclone copy` side by side, a year each: every process paces itself, so together they are faster.
    FourRclones { transfers: u16 },
    /// A bare HTTP client that lists, downloads and writes files.
    Floor { transfers: u16 },
}

/// Where and on what a peer runs.
pub(super) struct Field<'a> {
    pub(super) bench: &'a Bench,
    pub(super) emulator: &'a Emulator,
    pub(super) library: Library,
}

/// One run of a peer, checked.
pub(super) struct Ran {
    pub(super) cost: Cost,
    /// What it asked of Google.
    pub(super) calls: Calls,
    /// Why it was no whole copy, if it was none.
    pub(super) fault: Option<anyhow::Error>,
}

impl Peer {
    /// As it stands in tables.
    pub(super) fn name(self) -> String {
        match self {
            Self::Ours { transfers: None } => "tintype, concurrency by itself".to_owned(),
            Self::Ours { transfers: Some(n) } => format!("tintype, at most {n} at once"),
            Self::Rclone { transfers } => format!("rclone, {transfers} at once"),
            Self::FourRclones { transfers } => {
                format!("4 rclone together, {transfers} at once each")
            }
            Self::Floor { transfers } => format!("floor, {transfers} at once"),
        }
    }

    pub(super) fn is_floor(self) -> bool {
        matches!(self, Self::Floor { .. })
    }

    /// Copies the whole library into a folder that is removed again.
    ///
    /// # Errors
    /// When the peer fails, or did not copy every item.
    pub(super) async fn run(self, field: &Field<'_>) -> Result<Ran> {
        let ran = self.attempt(field).await?;
        match ran.fault {
            None => Ok(ran),
            Some(fault) => Err(fault.context(self.name())),
        }
    }

    /// The same, where a peer may fail to copy everything.
    ///
    /// # Errors
    /// When it cannot be started or followed.
    pub(super) async fn attempt(self, field: &Field<'_>) -> Result<Ran> {
        let home = field.bench.scratch.fresh("peer")?;
        let copy = home.join("copy");
        fs::create_dir(&copy)?;
        let commands = self.commands(field, &home, &copy)?;
        field.emulator.forget_calls().await?;
        let finished = measure::run(commands, &home, DEADLINE)
            .await
            .with_context(|| self.name())?;
        let calls = field.emulator.calls().await?;
        let cost = finished.cost;
        let fault = match finished.succeeded("the run") {
            Ok(_) => self.check(field, &copy, &calls).await.err(),
            Err(failed) => Some(failed),
        };
        Ok(Ran { cost, calls, fault })
    }

    fn commands(self, field: &Field<'_>, home: &Path, copy: &Path) -> Result<Vec<Command>> {
        let (bench, emulator) = (field.bench, field.emulator);
        match self {
            Self::Ours { transfers } => {
                let places = ours::Places::inside(home, copy);
                Ok(vec![ours::backup(
                    bench,
                    emulator,
                    &places,
                    transfers,
                    ours::Look::Routine,
                )])
            }
            Self::Rclone { transfers } => {
                let rclone = rclone::Rclone::configure(bench, emulator, home)?;
                Ok(vec![rclone.copy("media/all", copy, transfers)])
            }
            Self::FourRclones { transfers } => {
                rclone::Rclone::configure(bench, emulator, home)?.copy_by_year(copy, transfers)
            }
            Self::Floor { transfers } => {
                Ok(vec![floor::download(bench, emulator, copy, transfers)])
            }
        }
    }

    /// Files are counted by name and byte; an archive, which is laid out otherwise, by what Google served.
    async fn check(self, field: &Field<'_>, copy: &Path, calls: &Calls) -> Result<()> {
        let library = field.library;
        if let Self::Ours { .. } = self {
            let served = calls.items_served();
            let wanted = library.items;
            ensure!(
                served == wanted,
                "{served} of {wanted} items were downloaded"
            );
            return ours::verify(field.bench, copy).await;
        }
        let found = scratch::count(copy)?;
        let wanted = (library.items, library.total());
        ensure!(
            found == wanted,
            "{} files of {} bytes were copied, not {} of {}",
            found.0,
            found.1,
            wanted.0,
            wanted.1
        );
        Ok(())
    }
}
