//! The statements of every aggregate, compiled once for each engine. What differs is behind `dialect`.

use super::{Conn, Db, Store, dialect};

mod album_parts;
mod albums;
mod answers;
mod backlog;
mod bulk;
mod fence;
mod fleet;
mod holders;
mod item_pages;
mod items;
mod journal;
mod ledger;
mod listed;
mod originals;
mod pages;
mod paths;
mod plans;
mod renditions;
mod runs;
mod scheduling;
mod setup;
mod shards;
mod snapshots;
mod tx;
mod uploads;
mod warnings;

pub(super) use bulk::{
    Account, Clash, ContentRow, ItemRow, Owner, PathRow, TwinRow, UnstoredRow, UploadRow,
};
pub(super) use tx::Tx;
