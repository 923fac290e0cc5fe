//! The adapter itself: opens accounts and answers for one.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::Client;
use tintype_model::{
    album::Album,
    item::{MediaKind, ProviderId},
};
use tintype_ports::{
    clock::Entropy,
    photos::{
        BaseUrl, Batch, Body, CallGate, Download, ListedItem, NewItem, Page, Persistence,
        PhotoError, PhotoPicker, PhotoSink, PhotoSource, PhotoSources, Scope, SendError,
        UploadToken,
    },
};

use crate::{attempt::Caller, download, library, picker::Picker, settings::GoogleSettings, upload};

/// Opens Google Photos accounts. Connections are shared by all of them.
#[derive(Debug, Clone)]
pub struct GooglePhotosSources {
    client: Client,
    settings: Arc<GoogleSettings>,
    entropy: Arc<dyn Entropy>,
}

impl GooglePhotosSources {
    /// `client` must follow no redirects, repeat nothing by itself and have no read timeout, which would end uploads that take
    /// longer: `HttpSettings::unhurried` of `tintype-runtime` makes such ones. The deadlines of `settings` are what counts.
    #[must_use]
    pub fn new(client: Client, settings: GoogleSettings, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            client,
            settings: Arc::new(settings),
            entropy,
        }
    }
}

impl PhotoSources for GooglePhotosSources {
    fn open(&self, gate: Arc<dyn CallGate>, persistence: Persistence) -> Arc<dyn PhotoSource> {
        Arc::new(self.account(gate, persistence))
    }

    fn open_picker(
        &self,
        gate: Arc<dyn CallGate>,
        persistence: Persistence,
    ) -> Arc<dyn PhotoPicker> {
        let mut caller = self.caller(gate, persistence);
        caller.signs_downloads = true;
        Arc::new(Picker(Arc::new(caller)))
    }

    fn open_sink(&self, gate: Arc<dyn CallGate>, persistence: Persistence) -> Arc<dyn PhotoSink> {
        Arc::new(self.account(gate, persistence))
    }
}

impl GooglePhotosSources {
    fn account(&self, gate: Arc<dyn CallGate>, persistence: Persistence) -> GooglePhotos {
        GooglePhotos(Arc::new(self.caller(gate, persistence)))
    }

    fn caller(&self, gate: Arc<dyn CallGate>, persistence: Persistence) -> Caller {
        let settings = match persistence {
            Persistence::Usual => Arc::clone(&self.settings),
            Persistence::Once => {
                let mut once = GoogleSettings::clone(&self.settings);
                once.retry.retries = 0;
                once.retry.throttle_retries = 0;
                Arc::new(once)
            }
        };
        Caller {
            client: self.client.clone(),
            settings,
            entropy: Arc::clone(&self.entropy),
            gate,
            signs_downloads: false,
        }
    }
}

struct GooglePhotos(Arc<Caller>);

#[async_trait]
impl PhotoSource for GooglePhotos {
    async fn list(
        &self,
        scope: &Scope,
        page_token: Option<&str>,
    ) -> Result<Page<ListedItem>, PhotoError> {
        library::list(&self.0, scope, page_token).await
    }

    async fn albums(&self, page_token: Option<&str>) -> Result<Page<Album>, PhotoError> {
        library::albums(&self.0, page_token).await
    }

    async fn items(
        &self,
        ids: &[ProviderId],
    ) -> Result<Vec<Result<ListedItem, PhotoError>>, PhotoError> {
        library::items(&self.0, ids).await
    }

    async fn size(&self, url: &BaseUrl, kind: MediaKind) -> Result<Option<u64>, PhotoError> {
        download::size(&self.0, url, kind).await
    }

    async fn download(
        &self,
        url: &BaseUrl,
        kind: MediaKind,
    ) -> Result<Box<dyn Download>, PhotoError> {
        download::open(Arc::clone(&self.0), url, kind).await
    }
}

#[async_trait]
impl PhotoSink for GooglePhotos {
    async fn send(&self, mime_type: &str, bytes: Bytes) -> Result<UploadToken, PhotoError> {
        upload::raw(&self.0, mime_type, bytes).await
    }

    async fn send_large(
        &self,
        mime_type: &str,
        size: u64,
        body: &mut dyn Body,
    ) -> Result<UploadToken, SendError> {
        upload::large(&self.0, mime_type, size, body).await
    }

    async fn create(&self, album: Option<&ProviderId>, items: &[NewItem]) -> Batch {
        upload::create(&self.0, album, items).await
    }

    async fn create_album(&self, title: &str) -> Result<Album, PhotoError> {
        upload::create_album(&self.0, title).await
    }

    async fn add_to_album(
        &self,
        album: &ProviderId,
        items: &[ProviderId],
    ) -> Result<(), PhotoError> {
        upload::add_to_album(&self.0, album, items).await
    }
}
