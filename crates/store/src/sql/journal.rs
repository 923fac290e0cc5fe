//! The journal of an account: what it was sent, and what became of it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use tintype_model::{BlobHash, item::ProviderId};
use tintype_ports::{
    StoreError,
    store::{JournalEntry, MadeItem, SentBytes, Twin},
};

use super::{
    Tx,
    bulk::{Account, KEEP_TWIN, RENEW_MADE, RENEW_SENT, TwinRow, UploadRow},
    dialect,
};
use crate::{
    codec::{json, provider_id},
    failure::Outcome,
    rows::{self, all},
};

/// Writers to one journal go one after another: each changes many entries in an order of its own, and they would wait for each
/// other.
pub(super) async fn hold(tx: &mut Tx, account: Account) -> Outcome<()> {
    let is_there: Option<i64> = sqlx::query_scalar(dialect::HOLD_ACCOUNT)
        .bind(account.tenant)
        .bind(account.id)
        .fetch_optional(tx.conn())
        .await?;
    if is_there.is_none() {
        return Err(StoreError::NotFound("the account".into()).into());
    }
    Ok(())
}

pub(super) async fn entries(
    tx: &mut Tx,
    account: Account,
    contents: &[BlobHash],
) -> Outcome<Vec<JournalEntry>> {
    let rows: Vec<rows::UploadRow> = sqlx::query_as(dialect::JOURNAL)
        .bind(account.tenant)
        .bind(account.id)
        .bind(dialect::hashes(&once_each(contents))?)
        .fetch_all(tx.conn())
        .await?;
    Ok(all(rows)?)
}

pub(super) async fn doubtful(
    tx: &mut Tx,
    account: Account,
    after: Option<BlobHash>,
    limit: u32,
) -> Outcome<Vec<JournalEntry>> {
    // Nothing sorts before every hash.
    let after = after.map_or_else(Vec::new, |content| content.as_bytes().to_vec());
    let rows: Vec<rows::UploadRow> = sqlx::query_as(
        "SELECT content, token, expires_at, filename, made, media_id FROM uploads
         WHERE tenant_id = $1 AND account_id = $2 AND doubtful AND content > $3 ORDER BY content LIMIT $4",
    )
    .bind(account.tenant)
    .bind(account.id)
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(tx.conn())
    .await?;
    Ok(all(rows)?)
}

pub(super) async fn ids(
    tx: &mut Tx,
    account: Account,
    ids: &[ProviderId],
) -> Outcome<Vec<ProviderId>> {
    let ids: BTreeSet<&str> = ids.iter().map(ProviderId::as_str).collect();
    let rows: Vec<String> = sqlx::query_scalar(dialect::JOURNALLED_IDS)
        .bind(account.tenant)
        .bind(account.id)
        .bind(dialect::texts(ids.into_iter())?)
        .fetch_all(tx.conn())
        .await?;
    rows.into_iter().map(|id| Ok(provider_id(id)?)).collect()
}

pub(super) async fn twins(
    tx: &mut Tx,
    account: Account,
    after: Option<&ProviderId>,
    limit: u32,
) -> Outcome<Vec<Twin>> {
    let rows: Vec<rows::TwinRow> = sqlx::query_as(
        "SELECT media_id, filename, run_id, found_at FROM upload_twins
         WHERE tenant_id = $1 AND account_id = $2 AND media_id > $3 ORDER BY media_id LIMIT $4",
    )
    .bind(account.tenant)
    .bind(account.id)
    .bind(after.map_or("", ProviderId::as_str))
    .bind(i64::from(limit))
    .fetch_all(tx.conn())
    .await?;
    Ok(all(rows)?)
}

/// Bytes that stand here twice count once, as they were sent last.
pub(super) async fn add_sent(tx: &mut Tx, account: Account, sent: &[SentBytes]) -> Outcome<()> {
    let sent: BTreeMap<BlobHash, &SentBytes> =
        sent.iter().map(|sent| (sent.content, sent)).collect();
    let mut rows = Vec::with_capacity(sent.len());
    for (content, sent) in sent {
        rows.push(UploadRow {
            content: *content.as_bytes(),
            token: json(&sent.token)?,
            expires_at: sent.expires_at,
            filename: json(&sent.filename)?,
            made: false,
            media_id: None,
        });
    }
    insert(tx, account, &rows, RENEW_SENT).await
}

/// What was not sent by us has no token and no name.
pub(super) async fn add_made(tx: &mut Tx, account: Account, made: &[MadeItem]) -> Outcome<()> {
    let mut ids: BTreeMap<BlobHash, Option<&ProviderId>> = BTreeMap::new();
    for item in made {
        let id = ids.entry(item.content).or_default();
        *id = item.id.as_ref().or(*id);
    }
    let nothing = json(&"")?;
    let mut rows = Vec::with_capacity(ids.len());
    for (content, id) in ids {
        rows.push(UploadRow {
            content: *content.as_bytes(),
            token: nothing.clone(),
            expires_at: DateTime::<Utc>::UNIX_EPOCH,
            filename: nothing.clone(),
            made: true,
            media_id: id.map(|id| id.as_str().to_owned()),
        });
    }
    insert(tx, account, &rows, RENEW_MADE).await
}

async fn insert(tx: &mut Tx, account: Account, rows: &[UploadRow], clash: &str) -> Outcome<()> {
    if rows.is_empty() {
        return Ok(());
    }
    dialect::insert_uploads(tx.conn(), account, rows, clash).await
}

/// One after the other, each by its key. They are few, and with a list PostgreSQL may prefer to read the whole journal.
pub(super) async fn forget(tx: &mut Tx, account: Account, contents: &[BlobHash]) -> Outcome<()> {
    for content in contents {
        sqlx::query(
            "DELETE FROM uploads WHERE tenant_id = $1 AND account_id = $2 AND content = $3",
        )
        .bind(account.tenant)
        .bind(account.id)
        .bind(content.as_bytes().as_slice())
        .execute(tx.conn())
        .await?;
    }
    Ok(())
}

/// Begins or ends the doubts about bytes, as far as the journal knows them.
pub(super) async fn mark(
    tx: &mut Tx,
    account: Account,
    contents: &[BlobHash],
    doubtful: bool,
) -> Outcome<()> {
    if contents.is_empty() {
        return Ok(());
    }
    sqlx::query(dialect::MARK_DOUBTFUL)
        .bind(account.tenant)
        .bind(account.id)
        .bind(doubtful)
        .bind(dialect::hashes(&once_each(contents))?)
        .execute(tx.conn())
        .await?;
    Ok(())
}

pub(super) async fn add_twins(tx: &mut Tx, account: Account, twins: &[Twin]) -> Outcome<()> {
    if twins.is_empty() {
        return Ok(());
    }
    let mut rows = Vec::with_capacity(twins.len());
    for twin in twins {
        rows.push(TwinRow {
            media_id: twin.id.as_str().to_owned(),
            filename: json(&twin.filename)?,
            run: twin.run.as_uuid(),
            found_at: twin.found_at,
        });
    }
    dialect::insert_twins(tx.conn(), account, &rows, KEEP_TWIN).await
}

fn once_each(contents: &[BlobHash]) -> BTreeSet<BlobHash> {
    contents.iter().copied().collect()
}
