//! Originals of items that are stored already as what Google makes of them: a proxy that was named later is asked for each, and what
//! it gives takes the place of the older bytes. What it does not give stays as it is.
//!
//! Nothing of this waits for its bytes in the catalogue. However a run ends, no item is left that would have to come from Google again.

use std::sync::Arc;

use tintype_model::{
    PlanId, ShardId, TenantId,
    fidelity::{Channel, Encoding},
    item::{Item, ItemState, StoredContent},
    plan::{Layout, Plan, PlanKind},
    run::RunMode,
    shard::{Lease, Shard, ShardKind},
    storage::ProxyUrl,
};
use tintype_ports::{
    originals::{NoTurn, Turn},
    photos::Persistence,
    store::{OriginalsMark, OriginalsWrite, PendingItem},
};
use tracing::{Instrument as _, Span};

use super::{
    enumerate::{Cursor, Phase},
    heartbeat::Halt,
    intake::{Intake, conclude},
    mirror,
    pages::Pages,
    proxy::{self, Place},
    slot::ShardEnd,
    trouble::ItemTrouble,
};
use crate::{App, AppResult, steps::Step, trace};

/// Catalogue rows that one look brings.
const LOOK: u32 = 500;

/// Whether the item's bytes are what Google makes of an original. What a person picked is known to a proxy under no id.
fn is_sought(item: &Item) -> bool {
    let is_of_google = item.content.as_ref().is_some_and(|content| {
        content.fidelity.encoding != Encoding::Original
            && content.fidelity.channel == Channel::AppCreated
    });
    is_of_google
        && item.state == ItemState::Stored
        && !item.gone
        && item.provider_id.as_picked().is_none()
}

/// What one run asks for.
struct Sought {
    items: u32,
    /// The last of them.
    last: Option<u64>,
    /// The last item that was looked at.
    looked_at: Option<u64>,
}

/// The last phase of a listing: cuts the shard that asks the account's proxy. One is enough, because a proxy serves one download at
/// a time: more would only hold slots.
pub(super) async fn seek(pages: &mut Pages, mode: RunMode) -> AppResult<Phase> {
    let plan = &pages.account.plan;
    let proxy = pages.account.settings.proxy.clone();
    let Some(proxy) = proxy.filter(|_| plan.kind == PlanKind::Backup) else {
        return Ok(Phase::Over);
    };
    let (tenant, plan) = (plan.tenant, plan.id);
    // What was found is written, so that the catalogue tells which items are new.
    pages.found.flush(true).await?;
    let app = pages.found.app.clone();
    let mark = app.ports.store.originals_mark(tenant, plan).await?;
    // Another proxy may have what this one had not.
    let of_this_proxy = mark.as_ref().filter(|it| it.proxy == proxy);
    let mut after = of_this_proxy.and_then(|it| it.after);
    let run = pages.found.lease.shard.run;
    let new = app.ports.store.progress(tenant, run).await?.new;
    let next = app.ports.store.next_seq(tenant, plan).await?;
    // The proxy is asked for new items when they are fetched. Where it rests or fails then, the next run asks once more.
    let before = next.saturating_sub(new);
    let Some(mut sought) = look(pages, (tenant, plan), after, before).await? else {
        return Ok(Phase::Halted);
    };
    // A full run asks for everything again, once all was asked for.
    if sought.items == 0 && mode == RunMode::Full && after.take().is_some() {
        let Some(again) = look(pages, (tenant, plan), after, before).await? else {
            return Ok(Phase::Halted);
        };
        sought = again;
    }
    let shard = sought.last.map(|last| {
        let shard = Shard {
            id: ShardId::new(app.ports.clock.now(), app.ports.entropy.id_bytes()),
            kind: ShardKind::Originals,
            items: sought.items,
            ..pages.found.lease.shard.clone()
        };
        (shard, last)
    });
    let after = if shard.is_some() {
        after
    } else {
        sought.looked_at
    };
    let decided = OriginalsWrite {
        mark: OriginalsMark { proxy, after },
        shard,
    };
    if decided.shard.is_some() || mark.as_ref() != Some(&decided.mark) {
        // Written with the cursor behind it: whoever goes on after a crash cuts no second shard.
        pages.found.write.originals = Some(decided);
        pages.found.move_to(Cursor::Over);
        pages.found.flush(true).await?;
    }
    Ok(Phase::Over)
}

/// Looks through what is stored behind `after`; `None` when asked to stop.
async fn look(
    pages: &Pages,
    (tenant, plan): (TenantId, PlanId),
    after: Option<u64>,
    before: u64,
) -> AppResult<Option<Sought>> {
    let app = &pages.found.app;
    let mut sought = Sought {
        items: 0,
        last: None,
        looked_at: after,
    };
    loop {
        if pages.found.is_halted() {
            return Ok(None);
        }
        let store = &app.ports.store;
        let rows = store.items(tenant, plan, sought.looked_at, LOOK).await?;
        let mut is_end = rows.is_empty();
        for item in rows {
            if item.seq >= before || sought.items >= app.settings.originals_per_run {
                is_end = true;
                break;
            }
            sought.looked_at = Some(item.seq);
            if is_sought(&item) {
                sought.items += 1;
                sought.last = Some(item.seq);
            }
        }
        if is_end {
            return Ok(Some(sought));
        }
    }
}

impl App {
    /// Asks the account's proxy for the items of a shard, from the plan's mark on.
    pub(crate) async fn originals(
        &self,
        lease: &Arc<Lease>,
        plan: Plan,
        halt: &Halt,
    ) -> AppResult<ShardEnd> {
        let store = &self.ports.store;
        let shard = &lease.shard;
        let of = plan.source;
        let account = self.account(lease, plan, of, "download").await?;
        let mark = store.originals_mark(shard.tenant, shard.plan).await?;
        let last = store.originals_end(shard.tenant, shard.id).await?;
        let (Some(mark), Some(last)) = (mark, last) else {
            return Ok(ShardEnd::Done);
        };
        // A proxy that was taken back is not asked; for another one the next run begins anew.
        if account.settings.proxy.as_ref() != Some(&mark.proxy) {
            return Ok(ShardEnd::Done);
        }
        let search = Search {
            app: self.clone(),
            halt: halt.clone(),
            intake: self.intake(lease, &account).await?,
            plan: account.plan,
            proxy: mark.proxy,
            last,
        };
        search.run(mark.after).await
    }
}

/// A shard of originals at work. Whoever loses the lease drops it.
struct Search {
    app: App,
    halt: Halt,
    intake: Intake,
    plan: Plan,
    proxy: ProxyUrl,
    last: u64,
}

impl Search {
    async fn run(&self, mut after: Option<u64>) -> AppResult<ShardEnd> {
        while after.is_none_or(|after| after < self.last) {
            let rows = self
                .app
                .ports
                .store
                .items(self.plan.tenant, self.plan.id, after, LOOK)
                .await?;
            let Some(end) = rows.last().map(|row| row.seq) else {
                break;
            };
            for item in rows {
                if self.halt.hand_back.is_cancelled() {
                    return Ok(ShardEnd::HandedBack);
                }
                let older = item.content.clone();
                let Some(older) = older.filter(|_| item.seq <= self.last && is_sought(&item))
                else {
                    continue;
                };
                if let Some(end) = self.ask_for(item, &older).await? {
                    return Ok(end);
                }
            }
            after = Some(end);
        }
        self.move_mark(self.last).await?;
        Ok(ShardEnd::Done)
    }

    /// Asks for one item. Says how the shard ends when it goes no further.
    async fn ask_for(&self, item: Item, older: &StoredContent) -> AppResult<Option<ShardEnd>> {
        let turn = tokio::select! {
            () = self.halt.hand_back.cancelled() => return Ok(Some(ShardEnd::HandedBack)),
            turn = self.app.ports.originals.turn(&self.proxy, Persistence::Usual) => turn,
        };
        let is_last_attempt = self.intake.lease().attempt >= self.app.settings.shard_attempts;
        let turn = match turn {
            Ok(turn) => turn,
            Err(NoTurn::Busy) if !is_last_attempt => return Ok(Some(ShardEnd::TryLater)),
            // The next run goes on here.
            Err(NoTurn::Busy | NoTurn::Resting) => return Ok(Some(ShardEnd::Done)),
        };
        let item = PendingItem {
            seq: item.seq,
            provider_id: item.provider_id,
            metadata: item.metadata,
            has_content: true,
        };
        let span = trace::of_item(item.seq, item.metadata.kind);
        let fetched = self.fetch(&item, older, turn);
        match fetched.instrument(span.clone()).await {
            Ok(()) => {}
            Err(ItemTrouble::Shard(error)) => {
                trace::failed(&span, error.kind());
                return Err(error);
            }
            // Only who is asked to stop leaves an item for later.
            Err(ItemTrouble::Later(_) | ItemTrouble::Item(_)) => {
                return Ok(Some(ShardEnd::HandedBack));
            }
        }
        self.move_mark(item.seq).await?;
        Ok(None)
    }

    async fn fetch(
        &self,
        item: &PendingItem,
        older: &StoredContent,
        mut turn: Box<dyn Turn>,
    ) -> Result<(), ItemTrouble> {
        let items = std::slice::from_ref(item);
        let claim = mirror::claim_beside;
        let placed = self.app.placements(&self.plan, items, claim).await;
        let mut placements = placed.map_err(ItemTrouble::Shard)?;
        let Some(placement) = placements.pop() else {
            return Ok(());
        };
        let older = match self.plan.options.layout {
            Layout::Archive => None,
            Layout::Mirror => Some((older.blob, mirror::placement(item, older.path.clone()))),
        };
        let place = Place { placement, older };
        let archive = self.intake.archive();
        let hand_back = &self.halt.hand_back;
        let fetched =
            proxy::original(archive.as_ref(), item, turn.as_mut(), place, hand_back).await?;
        let Some(staged) = fetched else {
            return Ok(());
        };
        self.app.ports.steps.reached(Step::Downloaded);
        let span = Span::current();
        span.record("item.bytes", staged.0.size);
        let recorded = self.intake.submit(item.seq, Ok(staged), span).await;
        // Others may ask meanwhile.
        drop(turn);
        conclude(recorded).await
    }

    async fn move_mark(&self, after: u64) -> AppResult<()> {
        let lease = self.intake.lease();
        Ok(self
            .app
            .ports
            .store
            .move_originals_mark(lease, after)
            .await?)
    }
}
