//! What a person picked, as a source: listed by session, fetched with the access token.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use serde::Deserialize;
use tintype_model::{
    album::Album,
    item::{CameraFacts, ItemMetadata, MediaKind, ProviderId},
};
use tintype_ports::{
    PhotoSource,
    photos::{BaseUrl, Download, ListedItem, MOST_PICKS, Page, PhotoError, PickSessionId, Scope},
};

use crate::{
    attempt::Caller,
    download,
    failure::About,
    library::{Number, Time, WireVideoStatus, base_url, dimensions, page},
};

/// The most Google gives at once.
const PAGE_SIZE: u32 = 100;
/// More pages than a session has items mean that Google does not end.
const MOST_PAGES: u32 = MOST_PICKS;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePick {
    #[serde(default)]
    id: String,
    #[serde(default)]
    create_time: Time,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    media_file: WireFile,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct WireFile {
    #[serde(default)]
    base_url: String,
    #[serde(default)]
    mime_type: String,
    #[serde(default)]
    filename: String,
    #[serde(default)]
    media_file_metadata: WireMetadata,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct WireMetadata {
    #[serde(default)]
    width: Number,
    #[serde(default)]
    height: Number,
    camera_make: Option<String>,
    camera_model: Option<String>,
    photo_metadata: Option<WirePhoto>,
    video_metadata: Option<WireVideo>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePhoto {
    focal_length: Option<f64>,
    aperture_f_number: Option<f64>,
    iso_equivalent: Option<u32>,
    exposure_time: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireVideo {
    fps: Option<f64>,
    processing_status: Option<WireVideoStatus>,
}

/// The items of one session.
pub(super) struct Picked {
    caller: Arc<Caller>,
    session: PickSessionId,
}

impl Picked {
    pub(super) const fn new(caller: Arc<Caller>, session: PickSessionId) -> Self {
        Self { caller, session }
    }
}

#[async_trait]
impl PhotoSource for Picked {
    async fn list(
        &self,
        _: &Scope,
        page_token: Option<&str>,
    ) -> Result<Page<ListedItem>, PhotoError> {
        let mut url = self.caller.settings.endpoints.pick("mediaItems");
        url.query_pairs_mut()
            .append_pair("sessionId", &self.session.0)
            .append_pair("pageSize", &PAGE_SIZE.to_string());
        if let Some(token) = page_token {
            url.query_pairs_mut().append_pair("pageToken", token);
        }
        let about = About {
            page_token: page_token.is_some(),
            album: false,
        };
        self.caller
            .library(about, |client| client.get(url.clone()), read)
            .await
    }

    async fn albums(&self, _: Option<&str>) -> Result<Page<Album>, PhotoError> {
        Ok(Page {
            entries: Vec::new(),
            malformed: None,
            next: None,
        })
    }

    /// The Picker has no look-up: the session is listed until all are found. That costs a call for each hundred items of a
    /// session, and there are 2,000 at most.
    async fn items(
        &self,
        ids: &[ProviderId],
    ) -> Result<Vec<Result<ListedItem, PhotoError>>, PhotoError> {
        let mut found: HashMap<ProviderId, ListedItem> = HashMap::new();
        let mut token = None;
        let scope = Scope::Library {
            include_archived: true,
        };
        for _ in 0..MOST_PAGES {
            let page = self.list(&scope, token.as_deref()).await?;
            let wanted = page.entries.into_iter().filter(|it| ids.contains(&it.id));
            found.extend(wanted.map(|it| (it.id.clone(), it)));
            token = page.next;
            if token.is_none() || found.len() == ids.len() {
                break;
            }
        }
        let answer = |id| found.remove(id).ok_or(PhotoError::ItemNotFound);
        Ok(ids.iter().map(answer).collect())
    }

    async fn size(&self, url: &BaseUrl, kind: MediaKind) -> Result<Option<u64>, PhotoError> {
        download::size(&self.caller, url, kind).await
    }

    async fn download(
        &self,
        url: &BaseUrl,
        kind: MediaKind,
    ) -> Result<Box<dyn Download>, PhotoError> {
        download::open(Arc::clone(&self.caller), url, kind).await
    }
}

fn read(body: &[u8]) -> Result<Page<ListedItem>, serde_json::Error> {
    page::read::<WirePick, _>(body, listed)
}

fn listed(wire: WirePick) -> Result<ListedItem, String> {
    let id = ProviderId::try_from(wire.id).map_err(|error| error.to_string())?;
    let file = wire.media_file;
    let kind = match wire.kind.as_str() {
        "VIDEO" => MediaKind::Video,
        "PHOTO" => MediaKind::Photo,
        _ if file.mime_type.starts_with("video/") => MediaKind::Video,
        _ if file.mime_type.starts_with("image/") => MediaKind::Photo,
        _ => return Err(format!("item {id} is neither photo nor video")),
    };
    let facts = file.media_file_metadata;
    let (photo, video) = (facts.photo_metadata, facts.video_metadata);
    let status = video.as_ref().and_then(|it| it.processing_status);
    let video_status = status
        .filter(|_| kind == MediaKind::Video)
        .and_then(WireVideoStatus::known);
    let metadata = ItemMetadata {
        filename: file.filename,
        mime_type: file.mime_type,
        kind,
        description: None,
        created_at: wire.create_time.0,
        dimensions: dimensions(facts.width, facts.height),
        camera: CameraFacts {
            make: facts.camera_make,
            model: facts.camera_model,
            focal_length: photo.as_ref().and_then(|it| it.focal_length),
            aperture: photo.as_ref().and_then(|it| it.aperture_f_number),
            iso: photo.as_ref().and_then(|it| it.iso_equivalent),
            exposure_time: photo.and_then(|it| it.exposure_time),
            fps: video.and_then(|it| it.fps),
        },
        video_status,
        file: None,
    };
    let base_url = base_url(file.base_url, video_status);
    Ok(ListedItem {
        id,
        metadata,
        base_url,
    })
}

#[cfg(test)]
mod tests {
    use tintype_model::{fidelity::Dimensions, item::VideoStatus};

    use super::*;

    #[test]
    fn picks_are_read_as_google_writes_them() {
        let body = br#"{"mediaItems":[
            {"id":"a","createTime":"2024-05-06T07:08:09Z","type":"PHOTO","mediaFile":{"baseUrl":"https://x/a",
             "mimeType":"image/jpeg","filename":"a.jpg","mediaFileMetadata":{"width":4000,"height":3000,"cameraMake":"C",
             "photoMetadata":{"isoEquivalent":100}}}},
            {"id":"b","type":"VIDEO","mediaFile":{"baseUrl":"https://x/b","mimeType":"video/mp4","filename":"b.mp4",
             "mediaFileMetadata":{"videoMetadata":{"fps":30,"processingStatus":"PROCESSING"}}}},
            {"id":"c","type":"TYPE_UNSPECIFIED","mediaFile":{"mimeType":"text/plain"}}],"nextPageToken":"t"}"#;
        let page = read(body).unwrap();
        assert_eq!(page.next.as_deref(), Some("t"));
        assert_eq!(page.malformed.as_ref().map(|it| it.0), Some(1));
        let [photo, video] = &page.entries[..] else {
            panic!("{page:?}")
        };
        let size = Dimensions {
            width: 4000,
            height: 3000,
        };
        assert_eq!(photo.metadata.dimensions, Some(size));
        assert_eq!(photo.metadata.camera.iso, Some(100));
        assert!(photo.metadata.likeness().is_some() && photo.base_url.is_some());
        assert_eq!(video.metadata.video_status, Some(VideoStatus::Processing));
        assert!(video.base_url.is_none());
    }

    #[test]
    fn a_page_without_items_may_be_followed_by_others() {
        let page = read(br#"{"nextPageToken":"t"}"#).unwrap();
        assert_eq!((page.entries.len(), page.next.as_deref()), (0, Some("t")));
    }
}
