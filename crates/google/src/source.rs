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
        BaseUrl, CallGate, Download, ListedItem, Page, Persistence, PhotoError, PhotoSink,
        PhotoSource, PhotoSources, Scope, UploadToken,
    },
};

use crate::{attempt::Caller, download, library, settings::GoogleSettings, upload};

/// Opens Google Photos accounts. Connections are shared by all of them.
#[derive(Debug, Clone)]
pub struct GooglePhotosSources {
    client: Client,
    settings: Arc<GoogleSettings>,
    entropy: Arc<dyn Entropy>,
}

impl GooglePhotosSources {
    /// `client` must follow no redirects and repeat nothing by itself, as those of `tintype-runtime` do.
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

    fn open_sink(&self, gate: Arc<dyn CallGate>, persistence: Persistence) -> Arc<dyn PhotoSink> {
        Arc::new(self.account(gate, persistence))
    }
}

impl GooglePhotosSources {
    fn account(&self, gate: Arc<dyn CallGate>, persistence: Persistence) -> GooglePhotos {
        let settings = match persistence {
            Persistence::Usual => Arc::clone(&self.settings),
            Persistence::Once => {
                let mut once = GoogleSettings::clone(&self.settings);
                once.retry.retries = 0;
                once.retry.throttle_retries = 0;
                Arc::new(once)
            }
        };
        GooglePhotos(Arc::new(Caller {
            client: self.client.clone(),
            settings,
            entropy: Arc::clone(&self.entropy),
            gate,
        }))
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
}
