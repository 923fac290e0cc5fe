//! The listing of what a person picks: opens a session, waits until the person is done, lists what was picked.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tintype_model::{
    ErrorKind,
    album::Album,
    item::{MediaKind, ProviderId},
    plan::Plan,
    run::{RunEvent, RunReason},
    shard::Lease,
};
use tintype_ports::{
    PhotoError, PhotoSource,
    photos::{
        BaseUrl, Download, ListedItem, Page, Persistence, PhotoPicker, PickSession, PickSessionId,
        Scope,
    },
};

use super::{
    account::Account, enumerate::Cursor, findings::Findings, heartbeat::Halt,
    likenesses::Likenesses, listing::Listing, pages::Pages, slot::ShardEnd,
};
use crate::{App, AppError, AppResult, steps::Step};

/// How often a session is looked at where Google does not say.
const USUAL_POLL: Duration = Duration::from_secs(5);
/// Said of a session that nobody used.
const UNUSED: &str =
    "nobody picked anything before the link expired; start another run to get a new one";

/// Everything that a session holds, whatever is asked for.
const ALL: Scope = Scope::Library {
    include_archived: true,
};

impl App {
    /// The account that a person picks from, behind a gate that counts nothing: the Picker's limits are for a minute, and far
    /// beyond what one process asks for.
    async fn picking_account(
        &self,
        lease: &Lease,
        plan: Plan,
        purpose: &str,
    ) -> AppResult<Account> {
        let source = plan.source;
        let mut account = self.account(lease, plan, source, purpose).await?;
        account.gate = Arc::new(account.gate.uncounted());
        Ok(account)
    }

    pub(crate) async fn enumerate_picks(
        &self,
        lease: &Arc<Lease>,
        plan: Plan,
        halt: &Halt,
    ) -> AppResult<ShardEnd> {
        let account = self.picking_account(lease, plan, "list").await?;
        let gate = Arc::clone(&account.gate) as _;
        let picker = self.ports.sources.open_picker(gate, Persistence::Usual);
        let checkpoint = self.pick_session(lease).await?;
        let session = match checkpoint {
            Some((id, true)) => id,
            Some((id, false)) => match picker.look(&id).await {
                Ok(session) if session.is_picked => id,
                Ok(session) => return Err(awaited(session)),
                Err(PhotoError::ItemNotFound) => return self.end_unused(lease).await,
                Err(error) => return Err(error.into()),
            },
            None => {
                return self
                    .begin_picking(lease, &account, picker.as_ref(), halt)
                    .await;
            }
        };
        let source: Arc<dyn PhotoSource> = Arc::new(Picks(picker.picks(&session)));
        let mut pages = Pages::open(self, Arc::clone(lease), account, source, halt.clone()).await?;
        let shard = &lease.shard;
        pages.likenesses = Likenesses::of_all(self, shard.tenant, shard.plan).await?;
        let walked = walk(&mut pages, session).await;
        // What was found so far is kept whatever ended the walk; if the lease is lost this fails as it must.
        pages.found.flush(true).await?;
        walked
    }

    /// Opens a session, writes down which one, and lets the run wait for the person.
    async fn begin_picking(
        &self,
        lease: &Arc<Lease>,
        account: &Account,
        picker: &dyn PhotoPicker,
        halt: &Halt,
    ) -> AppResult<ShardEnd> {
        let session = picker.begin().await?;
        let gate = Some(Arc::clone(&account.gate));
        let mut found = Findings::open(self, Arc::clone(lease), gate, halt.clone()).await?;
        found.move_to(Cursor::Picking {
            session: session.id.clone(),
            uri: session.uri.clone(),
            expires_at: session.expires_at,
        });
        found.flush(true).await?;
        Err(awaited(session))
    }

    async fn end_unused(&self, lease: &Lease) -> AppResult<ShardEnd> {
        let reason = RunReason {
            kind: ErrorKind::PickAwaited,
            message: UNUSED.into(),
        };
        let shard = &lease.shard;
        self.change_run(shard.tenant, shard.run, &RunEvent::Broke(reason))
            .await?;
        Ok(ShardEnd::RunOver)
    }

    /// The session of the lease's run, and whether what was picked in it is being listed or was.
    async fn pick_session(&self, lease: &Lease) -> AppResult<Option<(PickSessionId, bool)>> {
        let shard = &lease.shard;
        let cursor = self.cursor_of(shard.tenant, shard.run).await?;
        Ok(match cursor {
            Some(Cursor::Picking { session, .. }) => Some((session, false)),
            Some(Cursor::Picked { session, .. }) => Some((session, true)),
            _ => None,
        })
    }

    /// Where the bytes of what was picked are to be had, and whose account it is.
    pub(crate) async fn picked_source(
        &self,
        lease: &Lease,
        plan: Plan,
    ) -> AppResult<(Account, Arc<dyn PhotoSource>)> {
        let account = self.picking_account(lease, plan, "download").await?;
        let Some((session, _)) = self.pick_session(lease).await? else {
            return Err(AppError::Defect("a run of picks without a session"));
        };
        let gate = Arc::clone(&account.gate) as _;
        let picker = self.ports.sources.open_picker(gate, Persistence::Usual);
        let source = Arc::new(Picks(picker.picks(&session)));
        Ok((account, source))
    }

    /// Ends the session of a run that needs it no more. One that stays ends by itself after a day.
    pub(crate) async fn end_picking(&self, lease: &Lease, plan: Plan) {
        let ended = async {
            let Some((session, _)) = self.pick_session(lease).await? else {
                return Ok(());
            };
            let account = self.picking_account(lease, plan, "list").await?;
            let gate = Arc::clone(&account.gate) as _;
            let picker = self.ports.sources.open_picker(gate, Persistence::Once);
            AppResult::Ok(picker.end(&session).await?)
        };
        if let Err(error) = ended.await {
            tracing::debug!(error = %crate::runs::describe(&error), "a picking session was left to end by itself");
        }
    }
}

async fn walk(pages: &mut Pages, session: PickSessionId) -> AppResult<ShardEnd> {
    let token = match &pages.found.cursor {
        Cursor::Picked { token, .. } => token.clone(),
        _ => None,
    };
    let at = |token: Option<&str>| Cursor::Picked {
        session: session.clone(),
        token: token.map(str::to_owned),
    };
    pages.found.move_to(at(token.as_deref()));
    let mut listing = Listing::new(Arc::clone(&pages.source), ALL, token, true);
    loop {
        if pages.found.is_halted() {
            return Ok(ShardEnd::HandedBack);
        }
        let Some(page) = listing.next().await? else {
            return Ok(ShardEnd::Done);
        };
        pages.found.app.ports.steps.reached(Step::PageListed);
        pages.take(page).await?;
        pages.found.move_to(at(listing.token()));
        if listing.token().is_some() {
            pages.found.page_done().await?;
        }
    }
}

fn awaited(session: PickSession) -> AppError {
    AppError::PickAwaited {
        uri: session.uri,
        poll_after: session.poll_after.unwrap_or(USUAL_POLL),
    }
}

/// A session's items under the ids that the catalogue knows them by.
struct Picks(Arc<dyn PhotoSource>);

#[async_trait]
impl PhotoSource for Picks {
    async fn list(
        &self,
        scope: &Scope,
        page_token: Option<&str>,
    ) -> Result<Page<ListedItem>, PhotoError> {
        let page = self.0.list(scope, page_token).await?;
        let mut entries = Vec::with_capacity(page.entries.len());
        let mut malformed = page.malformed;
        for item in page.entries {
            match ProviderId::picked(&item.id) {
                Ok(id) => entries.push(ListedItem { id, ..item }),
                Err(error) => malformed.get_or_insert((0, error.to_string())).0 += 1,
            }
        }
        Ok(Page {
            entries,
            malformed,
            next: page.next,
        })
    }

    async fn albums(&self, page_token: Option<&str>) -> Result<Page<Album>, PhotoError> {
        self.0.albums(page_token).await
    }

    async fn items(
        &self,
        ids: &[ProviderId],
    ) -> Result<Vec<Result<ListedItem, PhotoError>>, PhotoError> {
        let asked: Vec<ProviderId> = ids.iter().filter_map(ProviderId::as_picked).collect();
        if asked.len() != ids.len() {
            let text = "an item that nobody picked is asked of the picker";
            return Err(PhotoError::Rejected(text.into()));
        }
        let answers = self.0.items(&asked).await?;
        let named = |(answer, id): (Result<ListedItem, PhotoError>, &ProviderId)| {
            answer.map(|item| ListedItem {
                id: id.clone(),
                ..item
            })
        };
        Ok(answers.into_iter().zip(ids).map(named).collect())
    }

    async fn size(&self, url: &BaseUrl, kind: MediaKind) -> Result<Option<u64>, PhotoError> {
        self.0.size(url, kind).await
    }

    async fn download(
        &self,
        url: &BaseUrl,
        kind: MediaKind,
    ) -> Result<Box<dyn Download>, PhotoError> {
        self.0.download(url, kind).await
    }
}
