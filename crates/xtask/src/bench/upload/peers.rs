//! Who uploads: ours, rclone, and the floor. Each into an empty account of a new emulator, over the same proxy and TLS.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tokio::process::Command;

use super::source::{ALBUM, Source};
use crate::bench::Bench;
use crate::bench::calls::Calls;
use crate::bench::emulator::{Emulator, Library};
use crate::bench::measure::{self, Cost};
use crate::bench::peers::rclone::{Batching, Rclone};
use crate::bench::peers::{floor, ours};

/// Longer than the slowest run of a sound machine by far: a run that takes so long is stuck.
const DEADLINE: Duration = Duration::from_secs(30 * 60);

/// rclone at its best, as it was found: full batches, and as many transfers as fill one.
pub(super) const RCLONE_AT_ITS_BEST: Peer = Peer::Rclone {
    transfers: 50,
    batching: Batching::Sync(50),
};

/// A program with the settings it runs under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    /// `tintype upload` with everything as it comes.
    Ours,
    /// One `rclone copy` to an album.
    Rclone { transfers: u16, batching: Batching },
    /// A bare HTTP client that sends files and makes items of them, 50 at a time.
    Floor { transfers: u16 },
}

/// What is uploaded, and how far away the account is.
pub(super) struct Field<'a> {
    pub(super) bench: &'a Bench,
    pub(super) source: &'a Source,
    /// Of every request.
    pub(super) latency_ms: u64,
}

/// One run of a peer, checked.
pub(super) struct Ran {
    pub(super) cost: Cost,
    /// What it asked of Google.
    pub(super) calls: Calls,
    /// Why not all is in the album, if it is not.
    pub(super) fault: Option<anyhow::Error>,
}

impl Peer {
    /// As it stands in tables.
    pub(super) fn name(self) -> String {
        match self {
            Self::Ours => "tintype".to_owned(),
            Self::Rclone {
                transfers,
                batching: Batching::Off,
            } => format!("rclone, no batches, {transfers} at once"),
            Self::Rclone {
                transfers,
                batching: Batching::Sync(size),
            } => format!("rclone, batches of {size}, {transfers} at once"),
            Self::Floor { transfers } => format!("floor, {transfers} at once"),
        }
    }

    /// Uploads the whole source.
    ///
    /// # Errors
    /// When the peer fails, or not every file is in the album.
    pub(super) async fn run(self, field: &Field<'_>) -> Result<Ran> {
        let ran = self.attempt(field).await?;
        match ran.fault {
            None => Ok(ran),
            Some(fault) => Err(fault.context(self.name())),
        }
    }

    /// The same, where a peer may fail to upload everything.
    ///
    /// # Errors
    /// When it cannot be started or followed.
    pub(super) async fn attempt(self, field: &Field<'_>) -> Result<Ran> {
        let google = self.google(field).await?;
        let home = field.bench.scratch.fresh("peer")?;
        let command = self.command(field, &google, &home)?;
        google.forget_calls().await?;
        let finished = measure::run(vec![command], &home, DEADLINE)
            .await
            .with_context(|| self.name())?;
        let calls = google.calls().await?;
        let cost = finished.cost;
        let fault = match finished.succeeded("the run") {
            Ok(_) => check(&google, field.source).await.err(),
            Err(failed) => Some(failed),
        };
        Ok(Ran { cost, calls, fault })
    }

    /// An account with nothing in it, which one call at a time may write to.
    async fn google(self, field: &Field<'_>) -> Result<Emulator> {
        let bench = field.bench;
        let google = bench.emulator(Library::nothing(), field.latency_ms).await?;
        let switches = json!({
            "write_lock": true,
            // What was taken is hashed and let go, so that nobody waits for the emulator's memory.
            "forget_uploads": true,
            // The bytes are checked where the client says what they should be; rclone does not.
            "require_upload_hash": !matches!(self, Self::Rclone { .. }),
        });
        google.set(&switches).await?;
        Ok(google)
    }

    fn command(self, field: &Field<'_>, google: &Emulator, home: &Path) -> Result<Command> {
        let (bench, source) = (field.bench, field.source);
        match self {
            Self::Ours => Ok(ours::upload(bench, google, home, source.folder())),
            Self::Rclone {
                transfers,
                batching,
            } => {
                let rclone = Rclone::configure(bench, google, home)?;
                let to = format!("album/{ALBUM}");
                Ok(rclone.upload(&source.album(), &to, transfers, batching))
            }
            Self::Floor { transfers } => {
                let folder = source.album();
                Ok(floor::upload(bench, google, &folder, ALBUM, transfers))
            }
        }
    }
}

/// Each file once in the account, by name, and all of them in the one album.
async fn check(google: &Emulator, source: &Source) -> Result<()> {
    let wanted = source.names();
    let found = google.names_of_items(wanted.len() + 1).await?;
    ensure!(
        found == wanted,
        "the account holds {} items, which are not the {} files that were sent",
        found.len(),
        wanted.len()
    );
    let albums = google.albums().await?;
    ensure!(
        albums == [(ALBUM.to_owned(), source.items())],
        "not all are in one album: {albums:?}"
    );
    Ok(())
}
