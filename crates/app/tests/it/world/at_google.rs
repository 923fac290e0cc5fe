//! What happens at Google and around the process, as a test arranges it.

use std::{path::PathBuf, sync::atomic::Ordering};

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use tintype_app::AppResult;
use tintype_emulator::{
    CallKind, Control, DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, ItemBytes,
    Library, NewItem, SCOPE_PICKER, SCOPE_READ,
};
use tintype_model::{plan::Layout, quota::QuotaLimits, storage::StorageSettings};
use tintype_ports::{Clock, vault::OAuthClient};
use tintype_runtime::SystemClock;

use super::{Party, World};

impl World {
    /// Another tenant with an account of its own, on the same cloud project.
    pub(crate) async fn neighbour(&self, account: &str, library: Library) -> Party {
        self.control.add_account(account);
        self.control
            .add_library(account, DEFAULT_CLIENT_ID, library)
            .expect("a library");
        self.process
            .settle(&self.control, account, &self.dir, Layout::Archive)
            .await
    }

    pub(crate) fn google_url(&self) -> String {
        self.google.base_url()
    }

    pub(crate) fn emulator(&self) -> &Control {
        &self.control
    }

    pub(crate) fn calls(&self, kind: CallKind) -> u64 {
        self.control.calls(kind)
    }

    /// Ids of items with at least one download in the ledger, in order of the calls.
    pub(crate) fn downloaded(&self) -> Vec<String> {
        let entries = self.control.ledger(Some(CallKind::Download), 0, 100_000);
        entries.into_iter().filter_map(|entry| entry.item).collect()
    }

    pub(crate) fn item_ids(&self) -> Vec<String> {
        let items = self
            .control
            .items(DEFAULT_ACCOUNT, 100_000)
            .expect("the account");
        items.into_iter().map(|item| item.id).collect()
    }

    pub(crate) fn id_of(&self, file_name: &str) -> String {
        let items = self
            .control
            .items(DEFAULT_ACCOUNT, 100_000)
            .expect("the account");
        items
            .into_iter()
            .find(|item| item.file_name == file_name)
            .expect("an item of that name")
            .id
    }

    pub(crate) fn add(&self, _why: &str, item: NewItem) -> String {
        self.control
            .add_item(DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, item)
            .expect("added")
    }

    pub(crate) fn add_photo(&self, name: &str, created_ms: Option<i64>) -> String {
        self.add(
            name,
            NewItem {
                created_ms,
                ..NewItem::new(name, ItemBytes::Photo(20_000))
            },
        )
    }

    pub(crate) fn limit(&self, limits: QuotaLimits) {
        *self.limits.lock().expect("limits") = limits;
    }

    /// Has the size of each item asked for before its download.
    pub(crate) async fn read_sizes(&self) {
        let store = &self.process.app.ports().store;
        let storage = store
            .storage(self.first.tenant, self.first.storage)
            .await
            .expect("the store answers")
            .expect("the storage is there");
        let StorageSettings::GooglePhotos(mut settings) = storage.settings.clone() else {
            panic!("the source is no google photos storage");
        };
        settings.read_size = true;
        let app = &self.process.app;
        app.update_storage(&storage, &storage.name, Some(settings))
            .await
            .expect("updated");
    }

    /// Moves our clock; Google's moves along.
    pub(crate) fn set_time(&self, now: DateTime<Utc>) {
        let by = (now - SystemClock.now()).num_milliseconds();
        self.clock.by_ms.store(by, Ordering::Relaxed);
        self.control.set_clock_offset(by);
    }

    pub(crate) fn revoke(&self) {
        self.control
            .revoke_all(DEFAULT_ACCOUNT, None)
            .expect("revoked");
    }

    pub(crate) fn expire_base_urls(&self) {
        self.control.expire_base_urls();
    }

    pub(crate) async fn reauthorise(&self) {
        let done = self.reauthorise_as(DEFAULT_ACCOUNT, false).await;
        done.expect("reauthorised");
    }

    /// Puts the token of a Google account in place, whoever it is of.
    pub(crate) async fn reauthorise_as(&self, email: &str, other: bool) -> AppResult<()> {
        self.authorise(email, None, other).await
    }

    async fn authorise(&self, email: &str, scopes: Option<&str>, other: bool) -> AppResult<()> {
        let grant = self
            .control
            .grant(email, DEFAULT_CLIENT_ID, scopes)
            .expect("a grant");
        let client = OAuthClient {
            id: DEFAULT_CLIENT_ID.into(),
            secret: SecretString::from(DEFAULT_CLIENT_SECRET),
        };
        let token = SecretString::from(grant.refresh_token);
        let app = &self.process.app;
        app.reauthorise(self.first.tenant, self.first.storage, client, token, other)
            .await
    }

    /// Puts a token in place with which what a person picks can be fetched as well.
    pub(crate) async fn allow_picking(&self) {
        let scopes = format!("{SCOPE_READ} {SCOPE_PICKER}");
        let done = self.authorise(DEFAULT_ACCOUNT, Some(&scopes), false).await;
        done.expect("reauthorised");
    }

    pub(crate) fn hide_destination(&self) {
        std::fs::rename(&self.first.folder, self.hidden()).expect("hidden");
    }

    pub(crate) fn bring_destination_back(&self) {
        std::fs::rename(self.hidden(), &self.first.folder).expect("back");
    }

    fn hidden(&self) -> PathBuf {
        self.dir.path().join("hidden")
    }
}
