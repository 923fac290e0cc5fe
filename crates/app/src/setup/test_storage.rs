//! Tests a Google Photos account with real calls, before it is saved or at any time later. A test repeats nothing, so that it
//! costs one refresh and three calls at most; four where a token has to be replaced on the way. Asking a proxy costs none.

mod proxy;

use std::sync::Arc;

use bytes::Bytes;
use tintype_model::{
    ErrorKind, StorageId, TenantId, item::MediaKind, storage::GooglePhotosSettings,
};
use tintype_ports::{
    VaultError,
    photos::{CallGate as _, ListedItem, Persistence, PhotoError, PhotoSink, PhotoSource, Scope},
    vault::{Grant, Secret},
};

use super::checklist::{Check, CheckName, Tested};
use crate::{App, AppResult, worker::gate::Gate};

/// A PNG of one pixel. Sent, it makes no item: nobody uses the token that comes of it.
const PIXEL: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52,
    0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x3a, 0x7e, 0x9b,
    0x55, 0x00, 0x00, 0x00, 0x0a, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0x60, 0x00, 0x00, 0x00,
    0x02, 0x00, 0x01, 0xe5, 0x27, 0xde, 0xfc, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae,
    0x42, 0x60, 0x82,
];

impl App {
    /// Runs the checklist on a storage and hands out each line as it is known. Stops at the first failure.
    ///
    /// # Errors
    /// Only when the storage is not there or is no Google Photos account; failed checks are lines, not errors.
    pub async fn test_storage(
        &self,
        tenant: TenantId,
        storage: StorageId,
        on_check: impl FnMut(Check) + Send,
    ) -> AppResult<Tested> {
        let settings = self.account_settings(tenant, storage).await?;
        let trial = Trial::new(self, tenant, storage, &settings);
        Ok(trial.run(on_check).await)
    }

    /// Runs the checklist on an account that is not connected. What opens it is in the vault for as long as the test takes.
    ///
    /// # Errors
    /// Settings that make no sense, or a vault that fails.
    pub async fn test_account(
        &self,
        tenant: TenantId,
        secret: Secret,
        settings: &GooglePhotosSettings,
        on_check: impl FnMut(Check) + Send,
    ) -> AppResult<Tested> {
        let now = self.ports.clock.now();
        settings.check(now)?;
        let nowhere = StorageId::new(now, self.ports.entropy.id_bytes());
        self.ports.vault.put(tenant, nowhere, secret).await?;
        let tested = Trial::new(self, tenant, nowhere, settings)
            .run(on_check)
            .await;
        self.ports.vault.delete(tenant, nowhere).await?;
        Ok(tested)
    }
}

/// One test of one account.
struct Trial<'a> {
    app: &'a App,
    tenant: TenantId,
    storage: StorageId,
    settings: &'a GooglePhotosSettings,
    gate: Arc<Gate>,
    source: Arc<dyn PhotoSource>,
    sink: Arc<dyn PhotoSink>,
}

impl<'a> Trial<'a> {
    fn new(
        app: &'a App,
        tenant: TenantId,
        storage: StorageId,
        settings: &'a GooglePhotosSettings,
    ) -> Self {
        let grant = Grant {
            tenant,
            storage,
            run: None,
            purpose: "test".into(),
        };
        let gate = Arc::new(Gate::new(app, grant, settings.project.clone()));
        let sources = &app.ports.sources;
        Self {
            app,
            tenant,
            storage,
            settings,
            source: sources.open(Arc::clone(&gate) as _, Persistence::Once),
            sink: sources.open_sink(Arc::clone(&gate) as _, Persistence::Once),
            gate,
        }
    }

    async fn run(&self, on_check: impl FnMut(Check) + Send) -> Tested {
        let passed = self.pass_all(on_check).await;
        let spent = self.gate.take_spent();
        let requests = spent.requests + spent.downloads;
        Tested { passed, requests }
    }

    async fn pass_all(&self, mut on_check: impl FnMut(Check) + Send) -> bool {
        let mut passes = |check: Check| {
            let is_fine = check.is_fine();
            on_check(check);
            is_fine
        };
        if !passes(self.credential().await) {
            return false;
        }
        let token = match self.gate.access_token(None).await {
            Ok(token) => token,
            Err(error) => return passes(Check::of_vault(CheckName::Token, &error)),
        };
        let until = format!("valid until {}", token.expires_at.format("%H:%M UTC"));
        passes(Check::passed(CheckName::Token, until));
        if !passes(self.scopes(&token.scopes)) {
            return false;
        }
        let scope = Scope::Library {
            include_archived: self.settings.include_archived,
        };
        let page = match self.source.list(&scope, None).await {
            Ok(page) => page,
            Err(error) => return passes(Check::of_photos(CheckName::Listing, &error)),
        };
        let more = if page.next.is_some() { " or more" } else { "" };
        let found = match page.entries.len() {
            0 => "0 items: Google shows an app only what that app itself uploaded; add photos with the Picker or Takeout"
                .to_owned(),
            1 => "1 item".to_owned(),
            count => format!("{count}{more} items"),
        };
        passes(Check::passed(CheckName::Listing, found));
        if !passes(self.bytes(&page.entries).await) || !passes(self.upload().await) {
            return false;
        }
        match &self.settings.proxy {
            Some(proxy) => passes(self.proxy(proxy, &page.entries).await),
            None => true,
        }
    }

    async fn credential(&self) -> Check {
        let name = CheckName::Credential;
        match self
            .app
            .ports
            .vault
            .describe(self.tenant, self.storage)
            .await
        {
            Ok(Some(info)) => match &info.refused {
                Some(refusal) => Check::refused(name, refusal),
                None => {
                    let dies = info
                        .refresh_token_expires_at
                        .map_or_else(String::new, |at| {
                            format!(", its token dies at {}", at.format("%Y-%m-%d %H:%M UTC"))
                        });
                    Check::passed(name, format!("client {}{dies}", info.public_id))
                }
            },
            Ok(None) => Check::of_vault(name, &VaultError::NotFound),
            Err(error) => Check::of_vault(name, &error),
        }
    }

    fn scopes(&self, granted: &[String]) -> Check {
        let needed = self.settings.scopes();
        match needed.iter().find(|scope| !scope.is_in(granted)) {
            Some(scope) => Check::missing(*scope),
            None => {
                let names: Vec<_> = needed.iter().map(|scope| scope.name()).collect();
                Check::passed(CheckName::Scopes, names.join(", "))
            }
        }
    }

    async fn bytes(&self, entries: &[ListedItem]) -> Check {
        let name = CheckName::Bytes;
        let photo_first = entries
            .iter()
            .filter_map(|item| Some((item.metadata.kind, item.base_url.as_ref()?)))
            .min_by_key(|(kind, _)| *kind == MediaKind::Video);
        let Some((kind, url)) = photo_first else {
            return Check::skipped(name, "no item to fetch");
        };
        let opened = async {
            let mut download = self.source.download(url, kind).await?;
            let first = download.next().await?;
            let got = first.map_or(0, |bytes| bytes.len());
            Ok::<_, PhotoError>((download.total_length(), got))
        };
        match opened.await {
            Ok((Some(total), _)) => Check::passed(name, format!("{total} bytes promised")),
            Ok((None, got)) => Check::passed(name, format!("{got} bytes")),
            Err(PhotoError::ItemNotFound) => Check::failed(
                name,
                ErrorKind::NotFound,
                "the item went away while it was looked at".into(),
                "test again",
            ),
            Err(error) => Check::of_photos(name, &error),
        }
    }

    async fn upload(&self) -> Check {
        let name = CheckName::Write;
        if self.settings.read_only {
            return Check::skipped(name, "the storage is read only");
        }
        match self.sink.send("image/png", Bytes::from_static(PIXEL)).await {
            Ok(_) => Check::passed(name, "Google takes bytes; nothing was added to the library"),
            Err(error) => Check::of_photos(name, &error),
        }
    }
}
