//! Which call a request is: by host name when it came through the proxy, by path alone otherwise.

use http::Method;

use super::call::Call;
use crate::api::picker;
use crate::kind::CallKind;
use crate::serving::base_url;
use crate::serving::content::Suffix;

/// Where a request goes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// The control API, outside the emulated world.
    Control,
    /// A Library or Picker call; the id is the path's item, album, session or enclosing id.
    Api { kind: CallKind, id: String },
    /// A base URL.
    Bytes {
        kind: CallKind,
        word: String,
        suffix: Option<Suffix>,
    },
    /// An original through the full-resolution proxy.
    Original { id: String },
    /// The window in which a person picks.
    Picking { id: String },
    /// Any other address of that proxy.
    ProxyPage,
    /// OAuth and identity.
    Identity(CallKind),
    /// Nothing Google has.
    Nowhere,
}

impl Route {
    pub(crate) fn kind(&self) -> CallKind {
        match self {
            Self::Api { kind, .. } | Self::Bytes { kind, .. } | Self::Identity(kind) => *kind,
            Self::Original { .. } => CallKind::Original,
            Self::Picking { .. } | Self::Control | Self::ProxyPage | Self::Nowhere => {
                CallKind::Other
            }
        }
    }
}

/// Decides the route of a call.
pub(crate) fn classify(call: &Call) -> Route {
    let path = call.head.uri.path();
    let method = &call.head.method;
    let host = call.link.google_host.as_deref();
    match host {
        None if path.starts_with("/__emulator") => return Route::Control,
        None => {}
        Some("lh3.googleusercontent.com" | "photos.google.com") => return bytes(method, path),
        Some(_) => {}
    }
    if path.starts_with(base_url::PREFIX) || path.starts_with("/lr/") {
        return bytes(method, path);
    }
    if let Some(id) = path.strip_prefix("/gphotosdl/id/") {
        return Route::Original { id: id.to_owned() };
    }
    if let Some(id) = path.strip_prefix(picker::PAGE) {
        return Route::Picking { id: id.to_owned() };
    }
    if path == "/gphotosdl" || path.starts_with("/gphotosdl/") {
        return Route::ProxyPage;
    }
    if let Some(identity) = identity(method, path) {
        return Route::Identity(identity);
    }
    match path.strip_prefix("/v1/") {
        Some(rest) => api(call, method, rest),
        None => Route::Nowhere,
    }
}

fn identity(method: &Method, path: &str) -> Option<CallKind> {
    Some(match (method.as_str(), path) {
        ("POST", "/token" | "/o/oauth2/token" | "/oauth2/v4/token") => CallKind::Token,
        ("GET" | "POST", "/o/oauth2/v2/auth" | "/o/oauth2/auth") => CallKind::Consent,
        ("POST" | "GET", "/revoke" | "/o/oauth2/revoke") => CallKind::Revoke,
        ("GET", "/oauth2/v3/userinfo" | "/v1/userinfo") => CallKind::UserInfo,
        ("GET", "/.well-known/openid-configuration") => CallKind::Discovery,
        _ => return None,
    })
}

fn bytes(method: &Method, path: &str) -> Route {
    let word = path
        .trim_start_matches("/lh3/")
        .trim_start_matches("/lr/")
        .trim_start_matches('/');
    let (word, suffix) = match word.rsplit_once('=') {
        Some((word, suffix)) => (word, Suffix::parse(suffix)),
        None => (word, None),
    };
    let kind = match (method.as_str(), suffix) {
        ("HEAD", _) => CallKind::DownloadHead,
        ("GET", Some(Suffix::Image | Suffix::Video)) => CallKind::Download,
        ("GET", _) => CallKind::Thumbnail,
        _ => return Route::Nowhere,
    };
    Route::Bytes {
        kind,
        word: word.to_owned(),
        suffix,
    }
}

fn api(call: &Call, method: &Method, rest: &str) -> Route {
    use CallKind as K;
    let (resource, verb) = rest.split_once(':').unwrap_or((rest, ""));
    let (collection, id) = resource.split_once('/').unwrap_or((resource, ""));
    let is_picker = call.link.google_host.as_deref() == Some("photospicker.googleapis.com")
        || call.query().contains("sessionId=");
    let kind = match (method.as_str(), collection, id.is_empty(), verb) {
        ("GET", "mediaItems", true, "") if is_picker => K::PickerList,
        ("GET", "mediaItems", true, "") => K::ListItems,
        ("GET", "mediaItems", false, "") => K::GetItem,
        ("PATCH", "mediaItems", false, "") => K::PatchItem,
        ("GET", "mediaItems", true, "batchGet") => K::BatchGet,
        ("POST", "mediaItems", true, "search") => K::Search,
        ("POST", "mediaItems", true, "batchCreate") => K::BatchCreate,
        ("GET", "albums", true, "") => K::ListAlbums,
        ("POST", "albums", true, "") => K::CreateAlbum,
        ("GET", "albums", false, "") => K::GetAlbum,
        ("PATCH", "albums", false, "") => K::PatchAlbum,
        ("POST", "albums", false, "batchAddMediaItems") => K::AlbumAdd,
        ("POST", "albums", false, "batchRemoveMediaItems") => K::AlbumRemove,
        ("POST", "albums", false, "addEnrichment") => K::Enrichment,
        (_, "albums", false, "share" | "unshare") | (_, "sharedAlbums", _, _) => K::Sharing,
        ("POST", "uploads", true, "") => upload(call),
        ("POST", "sessions", true, "") => K::PickerCreate,
        ("GET", "sessions", false, "") => K::PickerGet,
        ("DELETE", "sessions", false, "") => K::PickerDelete,
        _ => return Route::Nowhere,
    };
    Route::Api {
        kind,
        id: id.to_owned(),
    }
}

/// Uploads differ by their command header.
fn upload(call: &Call) -> CallKind {
    let command = call.header("x-goog-upload-command").unwrap_or("");
    match command.split(',').map(str::trim).next() {
        Some("start") => CallKind::UploadStart,
        Some("upload" | "finalize") => CallKind::UploadChunk,
        Some("query") => CallKind::UploadQuery,
        Some("cancel") => CallKind::UploadCancel,
        _ => CallKind::UploadRaw,
    }
}
