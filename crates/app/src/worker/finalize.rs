//! The end of a run: writes and signs the manifest if anything changed, and decides how the run ended.

use std::sync::Arc;

use tintype_model::{
    BlobHash, SnapshotId,
    plan::Plan,
    progress::Progress,
    run::{RunEvent, RunMode},
    shard::Lease,
    snapshot::{ManifestAlbum, ManifestHead, Snapshot},
};
use tintype_ports::{Archive, archive::ManifestWriter, vault::Grant};

use tracing::{Instrument as _, debug_span, field::Empty};

use super::{heartbeat::Halt, renditions::Renditions, slot::ShardEnd};
use crate::{App, AppResult, steps::Step};

/// Catalogue rows that one look brings.
const LOOK: u32 = 500;

impl App {
    pub(crate) async fn finalize(
        &self,
        lease: &Arc<Lease>,
        plan: Plan,
        halt: &Halt,
    ) -> AppResult<ShardEnd> {
        let shard = &lease.shard;
        let store = &self.ports.store;
        let progress = store.progress(shard.tenant, shard.run).await?;
        let previous = store.latest_snapshot(shard.tenant, shard.plan).await?;
        let replaced = progress.stored + progress.originals;
        let unchanged = progress.new + progress.changed + progress.gone + replaced == 0;
        // Also a run that has nothing to write tells when its archive is away.
        let archive = self.open_archive(&plan, Some(shard.run)).await?;
        archive.open().await?;
        match previous {
            Some(previous) if unchanged => store.keep_snapshot(lease, previous.id).await?,
            previous => {
                let previous = previous
                    .filter(|it| it.run != shard.run)
                    .map(|it| it.manifest_hash);
                let span = debug_span!(
                    "manifest.write",
                    manifest.items = Empty,
                    manifest.bytes = Empty
                );
                let written = self
                    .write_manifest(lease, &plan, archive.as_ref(), previous, halt)
                    .instrument(span.clone());
                let Some(snapshot) = written.await? else {
                    return Ok(ShardEnd::HandedBack);
                };
                span.record("manifest.items", snapshot.items)
                    .record("manifest.bytes", snapshot.bytes);
                drop(span);
                self.ports.steps.reached(Step::ManifestWritten);
                let span = debug_span!("snapshot.record");
                store
                    .add_snapshot(lease, &snapshot)
                    .instrument(span)
                    .await?;
            }
        }
        self.ports.steps.reached(Step::SnapshotRecorded);
        if self.run(shard.tenant, shard.run).await?.mode == RunMode::Picks {
            self.end_picking(lease, plan).await;
        }
        self.finish_run(lease, &progress).await
    }

    /// Ends the run, well or with items that failed.
    pub(super) async fn finish_run(
        &self,
        lease: &Lease,
        progress: &Progress,
    ) -> AppResult<ShardEnd> {
        let shard = &lease.shard;
        let store = &self.ports.store;
        let failed_items = store
            .unstored(shard.tenant, shard.plan)
            .await?
            .max(progress.failed);
        self.change_run(
            shard.tenant,
            shard.run,
            &RunEvent::Finished { failed_items },
        )
        .await?;
        Ok(ShardEnd::RunOver)
    }

    /// Writes the manifest, or `None` when asked to stop in the middle.
    async fn write_manifest(
        &self,
        lease: &Lease,
        plan: &Plan,
        archive: &dyn Archive,
        previous: Option<BlobHash>,
        halt: &Halt,
    ) -> AppResult<Option<Snapshot>> {
        let run = self.run(plan.tenant, lease.shard.run).await?;
        // The snapshot has the run's own number: finalizing again after a crash writes the same one.
        let head = ManifestHead {
            id: SnapshotId::from_uuid(run.id.as_uuid()),
            archive: plan.archive,
            run: run.id,
            created_at: run.created_at,
            previous,
        };
        let swept = archive.sweep().await?;
        if swept > 0 {
            tracing::info!(
                drafts.swept = swept,
                "removed what crashed writers had left behind"
            );
        }
        let mut writer = archive.begin_manifest(&head).await?;
        let Some((items, bytes)) = self.write_items(plan, writer.as_mut(), halt).await? else {
            return Ok(None);
        };
        self.write_albums(plan, writer.as_mut()).await?;
        let manifest_hash = writer.seal().await?;
        let grant = Grant {
            tenant: plan.tenant,
            storage: plan.destination,
            run: Some(run.id),
            purpose: "sign".into(),
        };
        let signature = self
            .ports
            .vault
            .sign(&grant, manifest_hash.as_bytes())
            .instrument(debug_span!("vault.sign"))
            .await?;
        writer.publish(signature).await?;
        Ok(Some(Snapshot {
            id: head.id,
            tenant: plan.tenant,
            plan: plan.id,
            run: run.id,
            manifest_hash,
            items,
            bytes,
            created_at: run.created_at,
        }))
    }

    async fn write_items(
        &self,
        plan: &Plan,
        writer: &mut dyn ManifestWriter,
        halt: &Halt,
    ) -> AppResult<Option<(u64, u64)>> {
        let renditions = Renditions::of(self, plan).await?;
        let (mut items, mut bytes) = (0, 0);
        let mut after = None;
        loop {
            if halt.hand_back.is_cancelled() {
                return Ok(None);
            }
            let rows = self
                .ports
                .store
                .items(plan.tenant, plan.id, after, LOOK)
                .await?;
            let Some(last) = rows.last() else {
                return Ok(Some((items, bytes)));
            };
            after = Some(last.seq);
            for row in rows {
                let Some(item) = renditions.gather(self, plan, row).await? else {
                    continue;
                };
                items += 1;
                bytes += item.content.size;
                writer.item(&item).await?;
            }
        }
    }

    async fn write_albums(&self, plan: &Plan, writer: &mut dyn ManifestWriter) -> AppResult<()> {
        for album in self.ports.store.albums(plan.tenant, plan.id).await? {
            let mut members = Vec::new();
            loop {
                let from = members.len() as u64;
                let more = self
                    .ports
                    .store
                    .album_members(plan.tenant, plan.id, &album.provider_id, from, LOOK)
                    .await?;
                if more.is_empty() {
                    break;
                }
                members.extend(more);
            }
            writer
                .album(&ManifestAlbum {
                    id: album.provider_id,
                    title: album.title,
                    items: members,
                })
                .await?;
        }
        Ok(())
    }
}
