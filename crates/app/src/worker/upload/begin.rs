//! Begins a shard of an upload: where its bytes come from, what of it is worth sending.

use std::sync::Arc;

use tintype_model::{
    item::StoredContent,
    plan::{Plan, PlanKind},
    shard::Lease,
    storage::{BatchMode, LARGEST_BATCH},
};
use tintype_ports::{
    PhotoError,
    photos::{Persistence, Traffic},
    store::{Outcome, PendingItem, UploadRecord},
};
use tokio::task::JoinSet;

use super::{
    super::{
        account::Account, feed::Feed, gate::Gate, heartbeat::Halt, slot::ShardEnd,
        transfer::SHARD_LIMIT,
    },
    archived,
    batches::Batches,
    make::Maker,
    origin::Origin,
    prepaid::{Prepaid, Unmade},
    send::{Sender, check},
    shard::Upload,
    supply::Supply,
    verdicts::as_sent,
};
use crate::{App, AppError, AppResult};

/// Google's limit for one batchGet.
const LOOK: usize = 50;

impl App {
    pub(crate) async fn upload(
        &self,
        lease: &Arc<Lease>,
        plan: Plan,
        halt: &Halt,
    ) -> AppResult<ShardEnd> {
        let destination = plan.destination;
        let account = self.account(lease, plan, destination, "upload").await?;
        if account.settings.read_only {
            return Err(AppError::Invalid(
                "destination: the account is read only; switch that off and connect it again, or choose another".into(),
            ));
        }
        let shard = &lease.shard;
        let items = self
            .ports
            .store
            .pending(shard.tenant, shard.id, None, SHARD_LIMIT)
            .await?;
        let mut upload = self.begin_upload(lease, account, halt).await?;
        let supply = upload.supply(items).await?;
        let end = upload.run(supply).await;
        let mut spent = upload.maker.gate.take_spent();
        if let Some(gate) = &upload.source_gate {
            spent += gate.take_spent();
        }
        self.record_calls(lease, &spent).await?;
        end
    }

    async fn begin_upload(
        &self,
        lease: &Arc<Lease>,
        account: Account,
        halt: &Halt,
    ) -> AppResult<Upload> {
        let shard = &lease.shard;
        let sources = &self.ports.sources;
        let gate = Arc::clone(&account.gate);
        let sink = sources.open_sink(Arc::clone(&gate) as _, Persistence::Usual);
        let prepaid = Arc::new(Prepaid::new(
            Arc::clone(&self.ports.clock),
            Arc::clone(&gate),
        ));
        let maker = Maker {
            app: self.clone(),
            lease: Arc::clone(lease),
            account: account.storage,
            gate: Arc::clone(&gate),
            source: sources.open(Arc::clone(&gate) as _, Persistence::Usual),
            sink: sources.open_sink(Arc::clone(&prepaid) as _, Persistence::Usual),
        };
        let tenant = self.ports.store.tenant(shard.tenant).await?;
        let so_far = self.ports.store.progress(shard.tenant, shard.run).await?;
        let batch = account.settings.batch;
        let size = batch.size_for(self.settings.max_downloads as usize);
        let ahead = match batch.mode {
            BatchMode::Async => SHARD_LIMIT as usize,
            BatchMode::Sync => 2 * size,
            BatchMode::Off => 2 * LARGEST_BATCH,
        };
        let (origin, source_gate) = self.origin(lease, &account.plan).await?;
        Ok(Upload {
            source_gate,
            sender: Sender {
                app: self.clone(),
                tenant: shard.tenant,
                account: account.storage,
                origin,
                sink,
            },
            app: self.clone(),
            halt: halt.clone(),
            road: gate.road(Traffic::Upload),
            weight: tenant.map_or(1, |tenant| tenant.weight),
            began: self.permits.begin_shard(),
            left_in_run: so_far.queued.saturating_sub(so_far.stored + so_far.failed),
            maker: Arc::new(maker),
            plan: account.plan,
            batches: Batches::new(size, batch.timeout()),
            prepaid,
            size,
            ahead,
            unmade: Unmade::default(),
            running: JoinSet::new(),
            making: JoinSet::new(),
            later: Vec::new(),
            faults: Vec::new(),
            missing_in_a_row: 0,
            told_at: None,
        })
    }

    /// Where the bytes come from, and whose calls are counted there.
    async fn origin(&self, lease: &Lease, plan: &Plan) -> AppResult<(Origin, Option<Arc<Gate>>)> {
        let run = Some(lease.shard.run);
        if plan.kind == PlanKind::Transfer {
            let source = self
                .account(lease, plan.clone(), plan.source, "download")
                .await?;
            let gate = Arc::clone(&source.gate) as _;
            let account = self.ports.sources.open(gate, Persistence::Usual);
            return Ok((Origin::Account(account), Some(source.gate)));
        }
        if let Some(backup) = self.plan_uploaded(plan).await? {
            let archive = self.open_to_read(&backup, run).await?;
            archive.open().await.map_err(AppError::Source)?;
            return Ok((
                Origin::Archive {
                    archive,
                    goes_back: backup.source == plan.destination,
                },
                None,
            ));
        }
        Ok((Origin::Files(self.open_files(plan, run).await?), None))
    }
}

impl Upload {
    /// What there is to send: without what Google would not take, and what the account has already.
    async fn supply(&mut self, items: Vec<PendingItem>) -> AppResult<Supply> {
        let mut wanted = Vec::with_capacity(items.len());
        for item in items {
            match check(&item) {
                Ok(()) => wanted.push(item),
                Err(fault) => self.faults.push(Outcome {
                    seq: item.seq,
                    result: Err(fault),
                }),
            }
        }
        self.record_faults().await?;
        Ok(match &self.sender.origin {
            Origin::Files(_) => Supply::files(wanted),
            Origin::Archive {
                goes_back: true, ..
            } => Supply::files(self.without_present(wanted).await?),
            Origin::Archive { .. } => Supply::files(wanted),
            Origin::Account(source) => Supply::Account(Box::new(Feed::new(
                self.app.clone(),
                Arc::clone(source),
                self.plan.source,
                Supply::placed(wanted),
            ))),
        })
    }

    /// Of a snapshot that goes back to where it came from, what is no longer there: what Google gave us is not byte for byte what
    /// it has, so that it would not know the rest again.
    async fn without_present(&self, items: Vec<PendingItem>) -> AppResult<Vec<PendingItem>> {
        let mut absent = Vec::with_capacity(items.len());
        for chunk in items.chunks(LOOK) {
            let ids: Vec<_> = chunk.iter().map(|item| item.provider_id.clone()).collect();
            let answers = self.maker.source.items(&ids).await?;
            let mut record = UploadRecord::default();
            for (item, answer) in chunk.iter().zip(answers) {
                match (answer, archived(item)) {
                    (Ok(there), Some((blob, size))) => record.outcomes.push(Outcome {
                        seq: item.seq,
                        result: Ok(StoredContent {
                            blob,
                            size,
                            path: there.id.as_str().to_owned(),
                            fidelity: as_sent(),
                        }),
                    }),
                    (Ok(_), None) | (Err(PhotoError::ItemNotFound), _) => absent.push(item.clone()),
                    (Err(error), _) => return Err(error.into()),
                }
            }
            self.maker.record(record).await?;
        }
        Ok(absent)
    }
}
