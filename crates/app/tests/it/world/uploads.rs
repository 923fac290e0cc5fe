//! Uploads: folders of photos, plans that send them, and what the account then shows.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use tintype_app::{
    AppResult,
    setup::{NewDestination, NewPlan},
};
use tintype_emulator::{DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, small_photo};
use tintype_model::{
    StorageId,
    plan::{Plan, PlanOptions, UploadOptions},
    quota::QuotaKind,
    run::Run,
    storage::{GooglePhotosSettings, StorageSettings},
};
use tintype_ports::{
    Clock as _, PhotoSource, VaultError,
    photos::{Attempt, CallGate, Persistence, Scope},
    quota::QuotaError,
    store::FailedItem,
    vault::AccessToken,
};

use tintype_runtime::SystemClock;

use super::{Party, World};

/// Looks at Google as a client of its own, which no quota of ours counts.
struct Onlooker(AccessToken);

#[async_trait]
impl CallGate for Onlooker {
    async fn admit(&self, _kind: QuotaKind) -> Result<(), QuotaError> {
        Ok(())
    }

    async fn exhausted(&self, _kind: QuotaKind) -> Result<DateTime<Utc>, QuotaError> {
        Ok(SystemClock.now())
    }

    async fn access_token(
        &self,
        _rejected: Option<&AccessToken>,
    ) -> Result<AccessToken, VaultError> {
        Ok(self.0.clone())
    }

    fn observe(&self, _attempt: Attempt) {}
}

impl World {
    /// A folder beside the others.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Puts a file into a folder; its path has `/` between folders.
    pub(crate) fn put(&self, folder: &Path, path: &str, bytes: &[u8]) {
        let file = folder.join(path);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        std::fs::write(file, bytes).expect("written");
    }

    /// Puts so many photos into a folder, named by their numbers.
    pub(crate) fn put_photos(&self, folder: &Path, below: &str, numbers: std::ops::Range<usize>) {
        for number in numbers {
            let path = format!("{below}photo-{number:04}.jpg");
            self.put(folder, &path, &small_photo(number));
        }
    }

    /// A plan of the first tenant that sends a folder's files to its account.
    pub(crate) async fn upload_plan(&self, folder: &Path) -> Party {
        self.try_upload_plan(folder, UploadOptions::default(), self.first.storage)
            .await
            .expect("a plan")
    }

    pub(crate) async fn try_upload_plan(
        &self,
        folder: &Path,
        options: UploadOptions,
        account: StorageId,
    ) -> AppResult<Party> {
        let app = &self.process.app;
        let tenant = self.first.tenant;
        let name = folder.display().to_string();
        let known = app
            .ports()
            .store
            .storage_by_name(tenant, &name)
            .await
            .expect("read");
        let source = match known {
            Some(known) => known,
            None => {
                let new = NewDestination {
                    name: name.clone(),
                    settings: StorageSettings::LocalFolder {
                        path: folder.to_owned(),
                    },
                    keys: None,
                };
                app.connect_destination(tenant, new).await?
            }
        };
        let plan = self.plan_between(source.id, account, Some(options)).await?;
        Ok(Party {
            tenant,
            plan: plan.id,
            storage: account,
            folder: folder.to_owned(),
        })
    }

    pub(crate) async fn plan_between(
        &self,
        source: StorageId,
        destination: StorageId,
        upload: Option<UploadOptions>,
    ) -> AppResult<Plan> {
        let app = &self.process.app;
        let plan = NewPlan {
            name: format!(
                "{source} to {destination} {}",
                SystemClock.now().timestamp_micros()
            ),
            source,
            destination,
            options: PlanOptions {
                upload,
                ..PlanOptions::default()
            },
            schedule: None,
            archive: None,
        };
        app.create_plan(self.first.tenant, plan).await
    }

    /// Another account of the first tenant.
    pub(crate) async fn second_account(&self, email: &str) -> StorageId {
        self.control.add_account(email);
        let grant = self
            .control
            .grant(email, DEFAULT_CLIENT_ID, None)
            .expect("a grant");
        let app = &self.process.app;
        let new = tintype_app::setup::NewGoogleStorage {
            name: email.into(),
            client_id: DEFAULT_CLIENT_ID.into(),
            client_secret: SecretString::from(tintype_emulator::DEFAULT_CLIENT_SECRET),
            refresh_token: SecretString::from(grant.refresh_token),
            settings: GooglePhotosSettings::new("123456789012".parse().expect("a project")),
        };
        let storage = app.connect_google(self.first.tenant, new).await;
        storage.expect("connected").id
    }

    pub(crate) fn account(&self) -> StorageId {
        self.first.storage
    }

    pub(crate) fn backup(&self) -> Party {
        self.first.clone()
    }

    /// Changes the options of the first account.
    pub(crate) async fn choose(&self, change: impl FnOnce(&mut GooglePhotosSettings)) {
        let store = &self.process.app.ports().store;
        let storage = store
            .storage(self.first.tenant, self.first.storage)
            .await
            .expect("read")
            .expect("the storage");
        let StorageSettings::GooglePhotos(mut settings) = storage.settings.clone() else {
            panic!("no account");
        };
        change(&mut settings);
        let app = &self.process.app;
        app.update_storage(&storage, &storage.name, Some(settings))
            .await
            .expect("changed");
    }

    /// A plan that puts the first tenant's backup into an account.
    pub(crate) async fn restore_plan(
        &self,
        options: UploadOptions,
        account: StorageId,
    ) -> AppResult<Party> {
        let store = &self.process.app.ports().store;
        let backup = store
            .plan(self.first.tenant, self.first.plan)
            .await
            .expect("read")
            .expect("the backup");
        let plan = self
            .plan_between(backup.destination, account, Some(options))
            .await?;
        Ok(self.party_of(&plan))
    }

    pub(crate) fn party_of(&self, plan: &Plan) -> Party {
        Party {
            tenant: plan.tenant,
            plan: plan.id,
            storage: plan.destination,
            folder: self.first.folder.clone(),
        }
    }

    fn source_of(&self, email: &str) -> Arc<dyn PhotoSource> {
        let grant = self
            .control
            .grant(email, DEFAULT_CLIENT_ID, None)
            .expect("a grant");
        let token = AccessToken {
            secret: SecretString::from(grant.access_token),
            expires_at: SystemClock.now() + TimeDelta::hours(1),
            scopes: Vec::new(),
        };
        let sources = &self.process.app.ports().sources;
        sources.open(Arc::new(Onlooker(token)), Persistence::Usual)
    }

    /// An album of the first account, as if the app had made it earlier.
    pub(crate) fn add_album(&self, title: &str) -> String {
        self.control
            .add_album(DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, title, &[])
            .expect("an album")
    }

    /// Calls of all kinds since the ledger was reset.
    pub(crate) fn all_calls(&self) -> u64 {
        self.control.summary().calls.values().sum()
    }

    /// What was uploaded of an item, byte for byte.
    pub(crate) fn uploaded(&self, id: &str) -> Vec<u8> {
        let bytes = self.control.served_bytes(id, "original").expect("an item");
        bytes.expect("its bytes").to_vec()
    }

    /// File names in the account, with how often each is there.
    pub(crate) fn names_in(&self, email: &str) -> BTreeMap<String, usize> {
        let mut names = BTreeMap::new();
        for item in self.control.items(email, 100_000).expect("the account") {
            *names.entry(item.file_name).or_default() += 1;
        }
        names
    }

    /// Albums of the account, with the file names in them, sorted.
    pub(crate) async fn albums_in(&self, email: &str) -> BTreeMap<String, Vec<String>> {
        let source = self.source_of(email);
        let mut albums = BTreeMap::new();
        let page = source.albums(None).await.expect("albums");
        for album in page.entries {
            let scope = Scope::Album(album.provider_id);
            let (mut names, mut token) = (Vec::new(), None);
            loop {
                let page = source
                    .list(&scope, token.as_deref())
                    .await
                    .expect("its items");
                names.extend(page.entries.into_iter().map(|it| it.metadata.filename));
                token = page.next;
                if token.is_none() {
                    break;
                }
            }
            names.sort();
            let before = albums.insert(album.title, names);
            assert!(before.is_none(), "two albums of one title");
        }
        albums
    }

    /// Descriptions in the account, by file name.
    pub(crate) async fn descriptions_in(&self, email: &str) -> BTreeMap<String, String> {
        let source = self.source_of(email);
        let scope = Scope::Library {
            include_archived: true,
        };
        let (mut found, mut token) = (BTreeMap::new(), None);
        loop {
            let page = source.list(&scope, token.as_deref()).await.expect("items");
            for item in page.entries {
                if let Some(text) = item.metadata.description {
                    found.insert(item.metadata.filename, text);
                }
            }
            token = page.next;
            if token.is_none() {
                return found;
            }
        }
    }

    pub(crate) async fn failures(&self, run: &Run) -> Vec<FailedItem> {
        let store = &self.process.app.ports().store;
        store
            .failures(run.tenant, run.plan, None, 1_000)
            .await
            .expect("read")
    }

    pub(crate) async fn twins(&self) -> Vec<String> {
        let store = &self.process.app.ports().store;
        let twins = store
            .twins(self.first.tenant, self.first.storage, None, 1_000)
            .await
            .expect("read");
        twins.into_iter().map(|twin| twin.id.to_string()).collect()
    }

    pub(crate) const EMAIL: &'static str = DEFAULT_ACCOUNT;
}
