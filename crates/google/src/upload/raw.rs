//! Bytes in one request.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use reqwest::{Client, header::CONTENT_TYPE};
use tintype_ports::photos::{PhotoError, UploadToken};

use super::token;
use crate::attempt::{Caller, Course};

/// Sends all bytes at once. The SHA-1 is the one check of integrity that Google offers.
pub(crate) async fn raw(
    caller: &Caller,
    mime_type: &str,
    bytes: Bytes,
) -> Result<UploadToken, PhotoError> {
    let url = caller.settings.endpoints.call("uploads");
    let sha1 = STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &bytes));
    let request = |client: &Client| {
        client
            .post(url.clone())
            .header(CONTENT_TYPE, "application/octet-stream")
            .header("x-goog-upload-content-type", mime_type)
            .header("x-goog-upload-protocol", "raw")
            .header("x-goog-hash", format!("sha1={sha1}"))
            .body(bytes.clone())
    };
    let manner = caller.sending(bytes.len());
    caller
        .ask(manner, request, token::read, &mut Course::default())
        .await
}
