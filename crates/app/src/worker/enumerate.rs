//! The listing of a run: finds what is new, changed, back or gone, and cuts transfer shards while it goes on.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tintype_model::{
    SnapshotId,
    plan::{Plan, PlanKind},
    run::RunMode,
    shard::{Lease, Shard},
};
use tintype_ports::{
    StoreError,
    photos::{Persistence, PickSessionId, Scope},
};
use tracing::{Instrument as _, debug_span, field::Empty};

use super::{
    findings::Findings, heartbeat::Halt, likenesses::Likenesses, listing::Listing, pages::Pages,
    slot::ShardEnd,
};
use crate::{App, AppError, AppResult, steps::Step};

/// Items that one look at the catalogue brings.
const LOOK: u32 = 500;

/// Where an enumeration stands. Kept in the checkpoint as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub(crate) enum Cursor {
    /// Items that earlier runs left pending or failed.
    Leftovers {
        /// After this position.
        after: Option<u64>,
    },
    /// The library.
    Library {
        /// Where the next page begins.
        token: Option<String>,
    },
    /// The albums, in the order of their listing.
    Albums {
        /// How many are done.
        done: u64,
    },
    /// The files of an upload. A walk that was broken off begins anew: it costs nothing, and what is known is known.
    Files,
    /// The items of a snapshot that is to be uploaded.
    Snapshot {
        /// Which one; the run stays with it.
        id: SnapshotId,
    },
    /// A person is to pick.
    Picking {
        /// The session.
        session: PickSessionId,
        /// Where the person goes.
        uri: String,
        /// When that ends.
        expires_at: Option<DateTime<Utc>>,
    },
    /// What a person picked.
    Picked {
        /// The session.
        session: PickSessionId,
        /// Where the next page begins.
        token: Option<String>,
    },
    /// Items that the listing did not show.
    Gone {
        /// After this position.
        after: Option<u64>,
    },
    /// Stored items whose originals a proxy may have.
    Originals,
    /// All is found and written.
    Over,
}

impl App {
    pub(crate) async fn enumerate(
        &self,
        lease: &Arc<Lease>,
        plan: Plan,
        halt: &Halt,
    ) -> AppResult<ShardEnd> {
        if plan.kind == PlanKind::Upload {
            return self.enumerate_files(lease, &plan, halt).await;
        }
        let Shard {
            tenant,
            run,
            plan: of,
            ..
        } = lease.shard;
        let mode = self.run(tenant, run).await?.mode;
        if mode == RunMode::Picks {
            return self.enumerate_picks(lease, plan, halt).await;
        }
        let source = plan.source;
        let account = self.account(lease, plan, source, "list").await?;
        let gate = Arc::clone(&account.gate) as _;
        let source = self.ports.sources.open(gate, Persistence::Usual);
        let mut pages = Pages::open(self, Arc::clone(lease), account, source, halt.clone()).await?;
        pages.likenesses = Likenesses::of_picked(self, tenant, of).await?;
        let walked = walk(&mut pages, mode).await;
        // What was found so far is kept whatever ended the walk; if the lease is lost this fails as it must.
        pages.found.flush(true).await?;
        walked
    }
}

async fn walk(pages: &mut Pages, mode: RunMode) -> AppResult<ShardEnd> {
    loop {
        let going_on = match pages.found.cursor.clone() {
            Cursor::Leftovers { after } => {
                let phase = debug_span!("listing.leftovers");
                let next = Cursor::Library { token: None };
                leftovers(&mut pages.found, after, next)
                    .instrument(phase)
                    .await?
            }
            Cursor::Library { token } => {
                let phase = debug_span!("listing.library");
                library(pages, token, mode).instrument(phase).await?
            }
            Cursor::Albums { done } => {
                let phase = debug_span!("listing.albums");
                super::albums::walk(pages, done, mode)
                    .instrument(phase)
                    .await?
            }
            Cursor::Gone { after } if mode == RunMode::Full => {
                let phase = debug_span!("listing.gone");
                super::gone::walk(pages, after).instrument(phase).await?
            }
            Cursor::Gone { .. } => Phase::Next(Cursor::Originals),
            Cursor::Originals => {
                let phase = debug_span!("listing.originals");
                super::originals::seek(pages, mode)
                    .instrument(phase)
                    .await?
            }
            Cursor::Over => return Ok(ShardEnd::Done),
            Cursor::Files
            | Cursor::Snapshot { .. }
            | Cursor::Picking { .. }
            | Cursor::Picked { .. } => {
                let text = "the checkpoint of a listing is that of another kind of run";
                return Err(AppError::Store(StoreError::Corrupt(text.into())));
            }
        };
        match going_on {
            Phase::Next(cursor) => pages.found.cursor = cursor,
            Phase::Halted => return Ok(ShardEnd::HandedBack),
            Phase::Over => return Ok(ShardEnd::Done),
        }
    }
}

/// How a phase ended.
pub(crate) enum Phase {
    /// Go on there.
    Next(Cursor),
    /// Asked to stop.
    Halted,
    /// That was the last one.
    Over,
}

/// Queues what earlier runs left pending or failed; `next` comes after it.
pub(crate) async fn leftovers(
    found: &mut Findings,
    mut after: Option<u64>,
    next: Cursor,
) -> AppResult<Phase> {
    loop {
        if found.is_halted() {
            return Ok(Phase::Halted);
        }
        let shard = &found.lease.shard;
        let left = found
            .app
            .ports
            .store
            .leftovers(shard.tenant, shard.plan, after, LOOK)
            .await?;
        let Some(last) = left.last() else {
            return Ok(Phase::Next(next));
        };
        after = Some(last.seq);
        // What was picked is to be had from the window that it was picked in, and from nowhere else.
        let left = left.into_iter();
        for item in left.filter(|it| it.provider_id.as_picked().is_none()) {
            found.queue(item.seq, item.provider_id, item.metadata);
        }
        found.cursor = Cursor::Leftovers { after };
        found.flush(true).await?;
    }
}

async fn library(pages: &mut Pages, token: Option<String>, mode: RunMode) -> AppResult<Phase> {
    let scope = Scope::Library {
        include_archived: pages.account.settings.include_archived,
    };
    let full = mode == RunMode::Full;
    let mut listing = Listing::new(Arc::clone(&pages.source), scope, token, full);
    loop {
        if pages.found.is_halted() {
            return Ok(Phase::Halted);
        }
        let span = debug_span!("listing.page", page.items = Empty, page.news = Empty);
        let taken = async {
            let Some(page) = listing.next().await? else {
                return AppResult::Ok(None);
            };
            pages.found.app.ports.steps.reached(Step::PageListed);
            let entries = page.entries.len();
            Ok(Some((entries, pages.take(page).await?)))
        };
        let Some((entries, news)) = taken.instrument(span.clone()).await? else {
            break;
        };
        span.record("page.items", entries).record("page.news", news);
        drop(span);
        pages.found.cursor = Cursor::Library {
            token: listing.token().map(str::to_owned),
        };
        // Newest first: a whole page of known items means that what follows was seen by an earlier run.
        if !full && entries > 0 && news == 0 {
            break;
        }
        if listing.token().is_some() {
            pages.found.page_done().await?;
        }
    }
    Ok(Phase::Next(Cursor::Albums { done: 0 }))
}
