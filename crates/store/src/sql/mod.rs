//! The statements of every aggregate, compiled once for each engine. What differs is behind `dialect`.

use super::{Conn, Db, Store, dialect};

mod albums;
mod answers;
mod bulk;
mod fence;
mod fleet;
mod holders;
mod items;
mod ledger;
mod listed;
mod pages;
mod paths;
mod plans;
mod runs;
mod scheduling;
mod setup;
mod shards;
mod snapshots;
mod tx;

pub(super) use bulk::{Clash, ContentRow, ItemRow, Owner, PathRow, UnstoredRow};
pub(super) use tx::Tx;
