//! The albums' part of the listing: titles, order and members. Items that only albums show are copied as well.

use std::{collections::HashSet, sync::Arc};

use tintype_model::{album::Album, item::ProviderId, run::RunMode};
use tintype_ports::photos::Scope;

use super::{
    enumerate::{Cursor, Phase},
    listing::Listing,
    pages::Pages,
};
use crate::AppResult;

/// More albums than any account can have by hand; a listing that goes on longer is broken.
const MAX_ALBUMS: usize = 100_000;

pub(crate) async fn walk(pages: &mut Pages, done: u64, mode: RunMode) -> AppResult<Phase> {
    let listed = list(pages).await?;
    let shard = pages.found.lease.shard.clone();
    let known = pages
        .found
        .app
        .ports
        .store
        .albums(shard.tenant, shard.plan)
        .await?;
    for (place, album) in (0_u64..).zip(&listed) {
        if place < done {
            continue;
        }
        if pages.found.is_halted() {
            return Ok(Phase::Halted);
        }
        let place_known = known
            .iter()
            .position(|it| it.provider_id == album.provider_id);
        let retold = place_known.is_none_or(|at| known[at] != *album || at as u64 != place);
        let size = pages
            .found
            .app
            .ports
            .store
            .album_size(shard.tenant, shard.plan, &album.provider_id)
            .await?;
        // A routine run trusts title and count; a full one looks at every member.
        if retold {
            pages.found.album(place, album.clone());
        }
        if mode == RunMode::Full || retold || size != album.items_count {
            members(pages, album, size).await?;
        }
        pages.found.cursor = Cursor::Albums { done: place + 1 };
        pages.found.page_done().await?;
    }
    let there: HashSet<&ProviderId> = listed.iter().map(|album| &album.provider_id).collect();
    for album in known
        .iter()
        .filter(|album| !there.contains(&album.provider_id))
    {
        pages.found.album_gone(album.provider_id.clone());
    }
    Ok(Phase::Next(Cursor::Gone { after: None }))
}

async fn list(pages: &Pages) -> AppResult<Vec<Album>> {
    let mut albums = Vec::new();
    let mut token = None;
    loop {
        let page = pages.source.albums(token.as_deref()).await?;
        for album in page.entries {
            // A page may repeat the last entry of the one before.
            if albums.last() != Some(&album) {
                albums.push(album);
            }
        }
        token = page.next;
        if token.is_none() || albums.len() >= MAX_ALBUMS {
            return Ok(albums);
        }
    }
}

async fn members(pages: &mut Pages, album: &Album, known_size: u64) -> AppResult<()> {
    let shard = pages.found.lease.shard.clone();
    let mut listing = Listing::new(
        Arc::clone(&pages.source),
        Scope::Album(album.provider_id.clone()),
        None,
        false,
    );
    let mut position = 0;
    let mut last: Option<ProviderId> = None;
    while let Some(page) = listing.next().await? {
        let mut ids: Vec<ProviderId> = page.entries.iter().map(|item| item.id.clone()).collect();
        if ids
            .first()
            .is_some_and(|first| last.as_ref() == Some(first))
        {
            ids.remove(0);
        }
        last = ids.last().cloned().or(last);
        pages.take(page).await?;
        let count = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        let known = pages
            .found
            .app
            .ports
            .store
            .album_members(
                shard.tenant,
                shard.plan,
                &album.provider_id,
                position,
                count,
            )
            .await?;
        let arrived = ids.len() as u64;
        if known != ids {
            pages
                .found
                .members(album.provider_id.clone(), position, ids);
        }
        position += arrived;
        pages.found.page_done().await?;
    }
    if position < known_size {
        pages
            .found
            .members(album.provider_id.clone(), position, Vec::new());
    }
    Ok(())
}
