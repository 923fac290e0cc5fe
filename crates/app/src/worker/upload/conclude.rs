//! The end of an upload: albums that items are in besides the one they were made in, doubts about what was made, and how the
//! run ended.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use tintype_model::{
    album::Album,
    item::ProviderId,
    plan::{Plan, UploadFrom},
    shard::Lease,
};
use tintype_ports::{
    PhotoError, StoreError,
    photos::Persistence,
    store::{AlbumGrowth, UploadRecord},
};
use tracing::{Instrument as _, debug_span};

use super::{
    super::{heartbeat::Halt, slot::ShardEnd},
    albums::AlbumName,
    make::Maker,
};
use crate::{App, AppError, AppResult, steps::Step};

/// Members of an album that one look brings.
const LOOK: u32 = 500;
/// Google's limit for one call.
const TOGETHER: usize = 50;

impl App {
    pub(crate) async fn conclude_upload(
        &self,
        lease: &Arc<Lease>,
        plan: Plan,
        halt: &Halt,
    ) -> AppResult<ShardEnd> {
        let options = plan.options.upload.unwrap_or_default();
        let is_by_folder =
            plan.kind == tintype_model::plan::PlanKind::Upload && options.from == UploadFrom::Files;
        let destination = plan.destination;
        let account = self.account(lease, plan, destination, "upload").await?;
        let gate = Arc::clone(&account.gate);
        let sources = &self.ports.sources;
        let maker = Maker {
            app: self.clone(),
            lease: Arc::clone(lease),
            account: account.storage,
            source: sources.open(Arc::clone(&gate) as _, Persistence::Usual),
            sink: sources.open_sink(Arc::clone(&gate) as _, Persistence::Usual),
            gate,
        };
        let shard = &lease.shard;
        let progress = self.ports.store.progress(shard.tenant, shard.run).await?;
        let is_news = progress.new + progress.changed + progress.stored > 0;
        let ended = async {
            if options.albums
                && !is_by_folder
                && is_news
                && !self.join_albums(&account.plan, &maker, halt).await?
            {
                return Ok(ShardEnd::HandedBack);
            }
            self.ports.steps.reached(Step::AlbumsJoined);
            maker
                .settle_doubts()
                .instrument(debug_span!("upload.doubts"))
                .await?;
            AppResult::Ok(ShardEnd::RunOver)
        };
        let ended = ended.await;
        let spent = maker.gate.take_spent();
        self.record_calls(lease, &spent).await?;
        match ended? {
            ShardEnd::RunOver => self.finish_run(lease, &progress).await,
            other => Ok(other),
        }
    }

    /// Puts items into their albums; `false` when asked to stop before the end.
    async fn join_albums(&self, plan: &Plan, maker: &Maker, halt: &Halt) -> AppResult<bool> {
        let shard = &maker.lease.shard;
        let store = &self.ports.store;
        // Of a backup that goes back to where it came from, albums may be there still.
        let backup = self.plan_uploaded(plan).await?;
        let there = match backup.filter(|backup| backup.source == plan.destination) {
            Some(_) => maker.album_ids().await?,
            None => HashSet::new(),
        };
        for album in store.albums(shard.tenant, shard.plan).await? {
            if halt.hand_back.is_cancelled() {
                return Ok(false);
            }
            let span = debug_span!("upload.album");
            let is_there = there.contains(&album.provider_id);
            let work = maker.join(&album, is_there).instrument(span);
            let joined = self.as_only_writer(maker.account, &halt.lost, work).await?;
            joined.ok_or(AppError::Store(StoreError::LeaseLost))?;
        }
        Ok(true)
    }
}

impl Maker {
    /// Puts all members of an album into it. Those in it already stay where they are.
    async fn join(&self, album: &Album, is_there: bool) -> AppResult<()> {
        let name = AlbumName::of(album);
        if is_there && self.parts(&name).await?.is_empty() {
            let store = &self.app.ports.store;
            store
                .put_album_part(&self.lease, &name.key, 0, Some(&album.provider_id))
                .await?;
        }
        let (mut position, mut joined) = (0, 0);
        let mut part = None;
        loop {
            let (members, looked_at) = self.members(album, position).await?;
            if looked_at == 0 {
                break;
            }
            position += looked_at;
            for ids in members.chunks(TOGETHER) {
                let target = match part.take() {
                    Some(part) => part,
                    None => self.part_for(&name, 0).await?,
                };
                let target = match self.sink.add_to_album(&target.id, ids).await {
                    // The album is gone, or no longer ours.
                    Err(PhotoError::ItemNotFound) => {
                        let next = self.part_after(&name, &target).await?;
                        self.sink.add_to_album(&next.id, ids).await?;
                        next
                    }
                    added => {
                        added?;
                        target
                    }
                };
                part = Some(target);
                joined += ids.len() as u64;
            }
        }
        let Some(part) = part else { return Ok(()) };
        let before: u64 = self.parts(&name).await?.iter().map(|it| it.members).sum();
        let growth = AlbumGrowth {
            album: name.key,
            part: part.number,
            added: joined.saturating_sub(before),
        };
        let record = UploadRecord {
            albums: vec![growth],
            ..UploadRecord::default()
        };
        self.record(record).await.map(drop)
    }

    /// The ids at the account of an album's members from `position` on, and how many members were looked at.
    async fn members(&self, album: &Album, position: u64) -> AppResult<(Vec<ProviderId>, u64)> {
        let shard = &self.lease.shard;
        let store = &self.app.ports.store;
        let members = store
            .album_members(shard.tenant, shard.plan, &album.provider_id, position, LOOK)
            .await?;
        let given = store.given_ids(shard.tenant, shard.plan, &members).await?;
        let given: HashMap<ProviderId, ProviderId> = given.into_iter().collect();
        let looked_at = members.len() as u64;
        let ids = members
            .into_iter()
            .filter_map(|member| given.get(&member).cloned());
        Ok((ids.collect(), looked_at))
    }
}
