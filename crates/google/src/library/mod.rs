//! The read side of the Library API: one file for each call, and how its entries are read.

mod albums;
mod item;
mod items;
mod list;
pub(crate) mod page;

pub(crate) use albums::{albums, only_album};
pub(crate) use item::{Number, Time, WireVideoStatus, base_url, dimensions};
pub(crate) use items::items;
pub(crate) use list::list;
