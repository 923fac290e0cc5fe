//! The write side of the Library API: bytes on their way to Google, and what is made of them.
//!
//! | module | call |
//! |---|---|
//! | `raw` | `POST uploads`, all bytes in one request |
//! | `large` | `POST uploads` by commands: bytes that are sent as they are read, and go on where a connection broke |
//! | `token` | what both answer |
//! | `create` | `POST mediaItems:batchCreate` |
//! | `album` | `POST albums` |
//! | `album_items` | `POST albums/{id}:batchAddMediaItems` |

mod album;
mod album_items;
mod create;
mod large;
mod raw;
mod token;

pub(crate) use album::create_album;
pub(crate) use album_items::add_to_album;
pub(crate) use create::create;
pub(crate) use large::large;
pub(crate) use raw::raw;

/// The most items that one call makes or puts into an album.
const MOST_ITEMS: usize = 50;
