//! Rows of what was uploaded.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tintype_model::RunId;
use tintype_ports::{
    StoreError,
    store::{AlbumPart, JournalEntry, SentBytes, Twin},
};
use uuid::Uuid;

use super::hash;
use crate::codec::{count, from_json, provider_id, small};

#[derive(FromRow)]
pub(crate) struct UploadRow {
    content: Vec<u8>,
    token: String,
    expires_at: DateTime<Utc>,
    filename: String,
    made: bool,
    media_id: Option<String>,
}

impl TryFrom<UploadRow> for JournalEntry {
    type Error = StoreError;

    fn try_from(row: UploadRow) -> Result<Self, StoreError> {
        let sent = SentBytes {
            content: hash(&row.content)?,
            token: from_json(&row.token)?,
            expires_at: row.expires_at,
            filename: from_json(&row.filename)?,
        };
        Ok(Self {
            sent,
            made: row.made,
            id: row.media_id.map(provider_id).transpose()?,
        })
    }
}

#[derive(FromRow)]
pub(crate) struct TwinRow {
    media_id: String,
    filename: String,
    run_id: Uuid,
    found_at: DateTime<Utc>,
}

impl TryFrom<TwinRow> for Twin {
    type Error = StoreError;

    fn try_from(row: TwinRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: provider_id(row.media_id)?,
            filename: from_json(&row.filename)?,
            run: RunId::from_uuid(row.run_id),
            found_at: row.found_at,
        })
    }
}

#[derive(FromRow)]
pub(crate) struct AlbumPartRow {
    album: String,
    part: i64,
    album_id: Option<String>,
    members: i64,
}

impl TryFrom<AlbumPartRow> for AlbumPart {
    type Error = StoreError;

    fn try_from(row: AlbumPartRow) -> Result<Self, StoreError> {
        Ok(Self {
            album: from_json(&row.album)?,
            part: small(row.part)?,
            id: row.album_id.map(provider_id).transpose()?,
            members: count(row.members)?,
        })
    }
}
