//! What a person picks: sessions, and their items as a source.

use std::sync::Arc;

use tintype_emulator::{CallKind, DEFAULT_ACCOUNT, Generated, Library, SCOPE_PICKER, SCOPE_READ};
use tintype_model::item::ProviderId;
use tintype_ports::{
    PhotoSource,
    photos::{Forbidden, ListedItem, PhotoError, PhotoPicker, PickSessionId},
};

use crate::world::{LIBRARY, World};

async fn world(photos: u64) -> (World, Arc<dyn PhotoPicker>) {
    allowed(photos, SCOPE_PICKER).await
}

/// An account whose access tokens have this scope.
async fn allowed(photos: u64, scope: &'static str) -> (World, Arc<dyn PhotoPicker>) {
    let library = Library::Generated(Generated::photos(photos, 64 * 1024));
    let world = World::tuned(library, |_, gate| gate.scopes = Some(scope)).await;
    world.control.expire_access_tokens();
    let picker = world.picker();
    (world, picker)
}

/// A session in which the person picked so many of the newest.
async fn picked(world: &World, picker: &dyn PhotoPicker, count: usize) -> PickSessionId {
    let session = picker.begin().await.expect("a session");
    let items = world.control.items(DEFAULT_ACCOUNT, count);
    let items: Vec<String> = items.expect("items").into_iter().map(|it| it.id).collect();
    world.control.pick(&session.id.0, &items).expect("picked");
    session.id
}

async fn all(source: &dyn PhotoSource) -> Vec<ListedItem> {
    let (mut all, mut token) = (Vec::new(), None);
    loop {
        let page = source.list(&LIBRARY, token.as_deref()).await;
        let page = page.expect("a page");
        all.extend(page.entries);
        token = page.next;
        if token.is_none() {
            return all;
        }
    }
}

#[tokio::test]
async fn a_session_waits_for_a_person_and_is_listed_past_its_first_page() {
    let (world, picker) = world(250).await;
    let session = picker.begin().await.expect("a session");
    assert!(session.uri.contains("/picker/") && session.expires_at.is_some());
    let waiting = picker.look(&session.id).await.expect("a look");
    assert!(!waiting.is_picked && waiting.poll_after.is_some());
    world.control.set(|it| it.empty_pages = true);
    let id = picked(&world, picker.as_ref(), 230).await;
    assert!(picker.look(&id).await.expect("a look").is_picked);
    let source = picker.picks(&id);
    let items = all(source.as_ref()).await;
    assert_eq!(items.len(), 230);
    assert!(items.iter().all(|it| it.metadata.likeness().is_some()));
}

#[tokio::test]
async fn bytes_come_with_the_access_token_and_ids_are_found_again() {
    let (world, picker) = world(120).await;
    let id = picked(&world, picker.as_ref(), 120).await;
    let source = picker.picks(&id);
    let items = all(source.as_ref()).await;
    let wanted = &items[110];
    let unknown: ProviderId = "nobody".parse().expect("an id");
    let found = source.items(&[wanted.id.clone(), unknown]).await;
    let found = found.expect("answers");
    let again = found[0].as_ref().expect("the item");
    assert_eq!(again.metadata, wanted.metadata);
    assert!(matches!(found[1], Err(PhotoError::ItemNotFound)));
    let url = again.base_url.as_ref().expect("a base url");
    let kind = again.metadata.kind;
    let size = source.size(url, kind).await.expect("a size");
    let mut download = source.download(url, kind).await.expect("an answer");
    let mut length = 0;
    while let Some(bytes) = download.next().await.expect("bytes") {
        length += bytes.len() as u64;
    }
    assert_eq!(size, Some(length));
    // Without the token nobody gets them; one that has died shows as a base url that has.
    let library = world.source.download(url, kind).await;
    assert!(matches!(library, Err(PhotoError::BaseUrlExpired)));
    world.control.expire_access_tokens();
    let stale = source.download(url, kind).await;
    assert!(matches!(stale, Err(PhotoError::BaseUrlExpired)));
    let renewed = source.items(std::slice::from_ref(&wanted.id)).await;
    let renewed = renewed.expect("answers").remove(0).expect("the item");
    let url = renewed.base_url.expect("a base url");
    assert!(source.download(&url, kind).await.is_ok());
}

#[tokio::test]
async fn a_session_that_has_ended_is_known_as_such() {
    let (world, picker) = world(1).await;
    let session = picker.begin().await.expect("a session");
    picker.end(&session.id).await.expect("ended");
    picker.end(&session.id).await.expect("still ended");
    let gone = picker.look(&session.id).await;
    assert!(matches!(gone, Err(PhotoError::ItemNotFound)), "{gone:?}");
    let old = picker.begin().await.expect("a session");
    world.control.advance(2 * 24 * 60 * 60 * 1_000);
    world.control.expire_access_tokens();
    let gone = picker.look(&old.id).await;
    assert!(matches!(gone, Err(PhotoError::ItemNotFound)), "{gone:?}");
}

#[tokio::test]
async fn what_is_missing_is_told_apart() {
    let (world, picker) = world(1).await;
    world.control.set(|it| it.picker_disabled = true);
    let refused = picker.begin().await;
    let Err(PhotoError::Forbidden(Forbidden::ApiDisabled { api, project })) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(
        (api.as_str(), project.as_str()),
        ("Photos Picker API", "123456789012")
    );
    let (world, picker) = allowed(1, SCOPE_READ).await;
    let refused = picker.begin().await;
    assert!(
        matches!(refused, Err(PhotoError::Forbidden(Forbidden::ScopeMissing))),
        "{refused:?}"
    );
    assert!(world.control.calls(CallKind::PickerCreate) > 0);
}
