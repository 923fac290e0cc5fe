//! Whole items, put together from the tables that hold their parts.

use std::collections::HashMap;

use tintype_model::item::Item;

use super::{Tx, bulk::Owner};
use crate::{
    failure::Outcome as Done,
    rows::{ContentRow, ItemRow, item},
};

/// Items in the order of their positions. Statements of one transaction may see what was committed between them: content is read
/// last, so that what no longer waits has some.
pub(super) async fn page_of_items(
    tx: &mut Tx,
    owner: Owner,
    after: i64,
    limit: u32,
) -> Done<Vec<Item>> {
    let rows: Vec<ItemRow> = sqlx::query_as(
        "SELECT seq, provider_id, metadata, gone FROM items
         WHERE tenant_id = $1 AND plan_id = $2 AND seq > $3 ORDER BY seq LIMIT $4",
    )
    .bind(owner.tenant)
    .bind(owner.plan)
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(tx.conn())
    .await?;
    let last = rows.last().map_or(after, |row| row.seq);
    let unstored: Vec<(i64, Option<String>)> = sqlx::query_as(
        "SELECT seq, fault FROM unstored_items
         WHERE tenant_id = $1 AND plan_id = $2 AND seq > $3 AND seq <= $4",
    )
    .bind(owner.tenant)
    .bind(owner.plan)
    .bind(after)
    .bind(last)
    .fetch_all(tx.conn())
    .await?;
    let contents: Vec<ContentRow> = sqlx::query_as(
        "SELECT seq, blob, size, path, fidelity FROM item_contents
         WHERE tenant_id = $1 AND plan_id = $2 AND seq > $3 AND seq <= $4",
    )
    .bind(owner.tenant)
    .bind(owner.plan)
    .bind(after)
    .bind(last)
    .fetch_all(tx.conn())
    .await?;
    let mut unstored: HashMap<i64, Option<String>> = unstored.into_iter().collect();
    let mut contents: HashMap<i64, ContentRow> =
        contents.into_iter().map(|row| (row.seq, row)).collect();
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        let (unstored, content) = (unstored.remove(&row.seq), contents.remove(&row.seq));
        items.push(item(row, unstored, content)?);
    }
    Ok(items)
}
