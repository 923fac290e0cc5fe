//! The full-resolution proxy: originals of all accounts by item id, one at a time; any other address answers with a page, and failures
//! have empty bodies.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use super::content;
use super::download::{self, Loaded};
use crate::kind::CallKind;
use crate::net::call::{Call, Reply};
use crate::state::World;
use crate::state::ids::Key;
use crate::switches::Switches;
use crate::sync::read;

/// Where there is one seat for all.
pub(crate) enum Seat {
    /// As many as like.
    Needless,
    Got(OwnedSemaphorePermit),
    Taken,
}

/// Takes the seat, if it is free.
pub(crate) fn seat(world: &World, switches: &Switches) -> Seat {
    if !switches.proxy_one_at_a_time {
        return Seat::Needless;
    }
    match Arc::clone(&world.proxy).try_acquire_owned() {
        Ok(seat) => Seat::Got(seat),
        Err(_) => Seat::Taken,
    }
}

/// The reply to whoever finds the seat taken.
pub(crate) fn busy() -> Reply {
    Reply::text(503, "")
}

/// What any address but an item's answers.
pub(crate) fn page() -> Reply {
    Reply::html(200, "<!DOCTYPE html><title>gphotosdl</title><p>It works.")
}

/// Serves an original.
pub(crate) async fn original(
    world: &World,
    switches: &Switches,
    call: &Call,
    key: Option<Key>,
) -> Loaded {
    let found = key.and_then(|key| {
        let shelf = read(&world.shelf);
        let facts = shelf.facts(key)?;
        let served = content::original(&shelf.content(key)?, facts.mime)?;
        Some((served, facts.file_name.into_owned()))
    });
    match found {
        Some((served, name)) => {
            download::send(switches, call, CallKind::Original, served, &name).await
        }
        None => Reply::text(404, "").into(),
    }
}
