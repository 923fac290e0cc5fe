//! The journal of uploads.

use async_trait::async_trait;
use tintype_model::{
    BlobHash, PlanId, StorageId, TenantId, item::ProviderId, progress::Progress, shard::Lease,
};
use tintype_ports::store::{
    AlbumPart, JournalEntry, SentBytes, StoreResult, Twin, UploadRecord, Uploads,
};

use super::{Store, Tx, album_parts, bulk::Account, dialect, fence::fence, journal, pages};
use crate::{codec::provider_id, failure::Outcome};

/// What is forgotten goes first: an item that was made of such bytes after all is remembered.
async fn record(tx: &mut Tx, account: Account, record: &UploadRecord) -> Outcome<()> {
    let UploadRecord {
        made,
        forgotten,
        doubtful,
        ..
    } = record;
    if made.is_empty() && forgotten.is_empty() && doubtful.is_empty() {
        return Ok(());
    }
    journal::hold(tx, account).await?;
    journal::forget(tx, account, forgotten).await?;
    journal::add_made(tx, account, made).await?;
    journal::mark(tx, account, doubtful, true).await
}

#[async_trait]
impl Uploads for Store {
    async fn journal(
        &self,
        tenant: TenantId,
        account: StorageId,
        contents: &[BlobHash],
    ) -> StoreResult<Vec<JournalEntry>> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            journal::entries(&mut tx, Account::of(tenant, account), contents).await
        })
        .await
    }

    async fn journal_sent(
        &self,
        lease: &Lease,
        account: StorageId,
        sent: &[SentBytes],
    ) -> StoreResult<()> {
        self.within(async {
            let account = Account::of(lease.shard.tenant, account);
            let mut tx = self.write(lease.shard.tenant).await?;
            fence(&mut tx, lease, &Progress::default()).await?;
            journal::hold(&mut tx, account).await?;
            journal::add_sent(&mut tx, account, sent).await?;
            tx.commit().await
        })
        .await
    }

    async fn record_uploads(
        &self,
        lease: &Lease,
        account: StorageId,
        uploads: &UploadRecord,
    ) -> StoreResult<()> {
        self.within(async {
            let account = Account::of(lease.shard.tenant, account);
            let mut tx = self.write(lease.shard.tenant).await?;
            // It begins with the fence.
            pages::record(&mut tx, lease, &uploads.outcomes, &uploads.spent).await?;
            record(&mut tx, account, uploads).await?;
            album_parts::grow(&mut tx, lease, &uploads.albums).await?;
            tx.commit().await
        })
        .await
    }

    async fn doubtful(
        &self,
        tenant: TenantId,
        account: StorageId,
        after: Option<BlobHash>,
        limit: u32,
    ) -> StoreResult<Vec<JournalEntry>> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            journal::doubtful(&mut tx, Account::of(tenant, account), after, limit).await
        })
        .await
    }

    async fn journalled_ids(
        &self,
        tenant: TenantId,
        account: StorageId,
        ids: &[ProviderId],
    ) -> StoreResult<Vec<ProviderId>> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            journal::ids(&mut tx, Account::of(tenant, account), ids).await
        })
        .await
    }

    async fn settle_doubts(
        &self,
        lease: &Lease,
        account: StorageId,
        contents: &[BlobHash],
        twins: &[Twin],
    ) -> StoreResult<()> {
        self.within(async {
            let account = Account::of(lease.shard.tenant, account);
            let mut tx = self.write(lease.shard.tenant).await?;
            fence(&mut tx, lease, &Progress::default()).await?;
            journal::hold(&mut tx, account).await?;
            journal::mark(&mut tx, account, contents, false).await?;
            journal::add_twins(&mut tx, account, twins).await?;
            tx.commit().await
        })
        .await
    }

    async fn twins(
        &self,
        tenant: TenantId,
        account: StorageId,
        after: Option<&ProviderId>,
        limit: u32,
    ) -> StoreResult<Vec<Twin>> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            journal::twins(&mut tx, Account::of(tenant, account), after, limit).await
        })
        .await
    }

    async fn given_ids(
        &self,
        tenant: TenantId,
        plan: PlanId,
        items: &[ProviderId],
    ) -> StoreResult<Vec<(ProviderId, ProviderId)>> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            let rows: Vec<(String, String)> = sqlx::query_as(dialect::GIVEN_IDS)
                .bind(tenant.as_uuid())
                .bind(plan.as_uuid())
                .bind(dialect::texts(items.iter().map(ProviderId::as_str))?)
                .fetch_all(tx.conn())
                .await?;
            let mut given = Vec::with_capacity(rows.len());
            for (item, id) in rows {
                given.push((provider_id(item)?, provider_id(id)?));
            }
            Ok(given)
        })
        .await
    }

    async fn album_parts(
        &self,
        tenant: TenantId,
        plan: PlanId,
        album: &str,
    ) -> StoreResult<Vec<AlbumPart>> {
        self.within(async {
            let mut tx = self.read(tenant).await?;
            album_parts::list(&mut tx, tenant, plan, album).await
        })
        .await
    }

    async fn put_album_part(
        &self,
        lease: &Lease,
        album: &str,
        part: u32,
        id: Option<&ProviderId>,
    ) -> StoreResult<()> {
        self.within(async {
            let mut tx = self.write(lease.shard.tenant).await?;
            fence(&mut tx, lease, &Progress::default()).await?;
            album_parts::put(&mut tx, lease, album, part, id).await?;
            tx.commit().await
        })
        .await
    }
}
