//! Base URLs: an item's bytes. Their errors are no JSON, and what comes with status 200 need not be the photo.

mod answer;
mod size;
mod stream;

use std::sync::Arc;

use tintype_model::item::MediaKind;
use tintype_ports::photos::{BaseUrl, Download, PhotoError};

use crate::attempt::Caller;

pub(crate) use answer::{is_no_media_type, looks_like_a_web_page};
pub(crate) use size::size;

/// Opens an item's bytes from the start.
pub(crate) async fn open(
    caller: Arc<Caller>,
    url: &BaseUrl,
    kind: MediaKind,
) -> Result<Box<dyn Download>, PhotoError> {
    let mut download = stream::GoogleDownload::new(caller, url, kind);
    download.connect().await?;
    Ok(Box::new(download))
}

/// The suffix asks for the bytes: without one Google serves a small preview.
fn with_suffix(url: &BaseUrl, kind: MediaKind) -> String {
    let suffix = match kind {
        MediaKind::Photo => "=d",
        MediaKind::Video => "=dv",
    };
    format!("{}{suffix}", url.expose())
}
