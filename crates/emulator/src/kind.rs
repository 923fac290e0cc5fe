//! The kinds of calls the emulator tells apart, in switches, faults, quota and ledger alike.

use serde::{Deserialize, Serialize};

/// One kind of call. In JSON it is written in snake case: `batch_get`, `upload_raw`, `download`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(
    missing_docs,
    reason = "each variant is named after the call it stands for"
)]
pub enum CallKind {
    ListItems,
    GetItem,
    BatchGet,
    Search,
    PatchItem,
    BatchCreate,
    UploadRaw,
    UploadStart,
    UploadChunk,
    UploadQuery,
    UploadCancel,
    ListAlbums,
    GetAlbum,
    CreateAlbum,
    PatchAlbum,
    AlbumAdd,
    AlbumRemove,
    Enrichment,
    Sharing,
    PickerCreate,
    PickerGet,
    PickerDelete,
    PickerList,
    /// GET of a base URL with `=d` or `=dv`.
    Download,
    /// HEAD of a base URL.
    DownloadHead,
    /// GET of a base URL with a size suffix, or none.
    Thumbnail,
    /// GET of an original through the full-resolution proxy.
    Original,
    Token,
    Consent,
    Revoke,
    UserInfo,
    Discovery,
    /// A CONNECT to the intercepting proxy.
    Connect,
    /// Anything that is no known call.
    Other,
}

impl CallKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 34] = [
        Self::ListItems,
        Self::GetItem,
        Self::BatchGet,
        Self::Search,
        Self::PatchItem,
        Self::BatchCreate,
        Self::UploadRaw,
        Self::UploadStart,
        Self::UploadChunk,
        Self::UploadQuery,
        Self::UploadCancel,
        Self::ListAlbums,
        Self::GetAlbum,
        Self::CreateAlbum,
        Self::PatchAlbum,
        Self::AlbumAdd,
        Self::AlbumRemove,
        Self::Enrichment,
        Self::Sharing,
        Self::PickerCreate,
        Self::PickerGet,
        Self::PickerDelete,
        Self::PickerList,
        Self::Download,
        Self::DownloadHead,
        Self::Thumbnail,
        Self::Original,
        Self::Token,
        Self::Consent,
        Self::Revoke,
        Self::UserInfo,
        Self::Discovery,
        Self::Connect,
        Self::Other,
    ];

    /// The kind's number, its place in [`CallKind::ALL`].
    #[must_use]
    pub fn number(self) -> usize {
        self as usize
    }

    /// The kind whose JSON name is `name`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
    }

    /// Calls that Google lets run one at a time per user.
    pub(crate) fn takes_write_lock(self) -> bool {
        matches!(
            self,
            Self::BatchCreate
                | Self::CreateAlbum
                | Self::PatchAlbum
                | Self::PatchItem
                | Self::AlbumAdd
                | Self::AlbumRemove
                | Self::Enrichment
        )
    }

    /// What the call draws from a project's quota.
    pub(crate) fn cost(self) -> Cost {
        match self {
            Self::ListItems
            | Self::GetItem
            | Self::BatchGet
            | Self::Search
            | Self::PatchItem
            | Self::BatchCreate
            | Self::UploadRaw
            | Self::UploadStart
            | Self::UploadChunk
            | Self::UploadQuery
            | Self::UploadCancel
            | Self::ListAlbums
            | Self::GetAlbum
            | Self::CreateAlbum
            | Self::PatchAlbum
            | Self::AlbumAdd
            | Self::AlbumRemove
            | Self::Enrichment
            | Self::Sharing => Cost::Library,
            Self::PickerCreate | Self::PickerGet | Self::PickerDelete | Self::PickerList => {
                Cost::Picker
            }
            Self::Download | Self::DownloadHead | Self::Thumbnail => Cost::BaseUrl,
            Self::Original
            | Self::Token
            | Self::Consent
            | Self::Revoke
            | Self::UserInfo
            | Self::Discovery
            | Self::Connect
            | Self::Other => Cost::Free,
        }
    }

    /// The scopes of which a token needs one.
    pub(crate) fn scopes(self) -> &'static [&'static str] {
        use crate::config::{SCOPE_APPEND, SCOPE_EDIT, SCOPE_PICKER, SCOPE_READ};
        match self {
            Self::ListItems
            | Self::GetItem
            | Self::BatchGet
            | Self::Search
            | Self::ListAlbums
            | Self::GetAlbum => &[SCOPE_READ],
            Self::PatchItem | Self::PatchAlbum => &[SCOPE_EDIT],
            Self::AlbumAdd | Self::AlbumRemove | Self::Enrichment => &[SCOPE_APPEND, SCOPE_EDIT],
            Self::BatchCreate
            | Self::UploadRaw
            | Self::UploadStart
            | Self::UploadChunk
            | Self::UploadQuery
            | Self::UploadCancel
            | Self::CreateAlbum => &[SCOPE_APPEND],
            Self::PickerCreate | Self::PickerGet | Self::PickerDelete | Self::PickerList => {
                &[SCOPE_PICKER]
            }
            _ => &[],
        }
    }
}

/// What a call counts against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cost {
    Library,
    BaseUrl,
    Picker,
    Free,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_stands_at_its_number() {
        for (number, kind) in CallKind::ALL.into_iter().enumerate() {
            assert_eq!(kind.number(), number);
        }
        assert_eq!(CallKind::parse("batch_get"), Some(CallKind::BatchGet));
    }
}
