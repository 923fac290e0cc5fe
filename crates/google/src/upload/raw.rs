//! Bytes in one request.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use reqwest::header::CONTENT_TYPE;
use serde::de::Error as _;
use tintype_ports::photos::{PhotoError, UploadToken};

use crate::{attempt::Caller, failure::About};

/// Google's tokens have some 200 characters; nothing near this limit is one.
const LONGEST_TOKEN: usize = 8 * 1024;

/// Sends all bytes at once. The SHA-1 is the one check of integrity that Google offers.
pub(crate) async fn raw(
    caller: &Caller,
    mime_type: &str,
    bytes: Bytes,
) -> Result<UploadToken, PhotoError> {
    let url = caller.settings.endpoints.call("uploads");
    let sha1 = STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &bytes));
    let about = About {
        page_token: false,
        album: false,
    };
    let request = |client: &reqwest::Client| {
        client
            .post(url.clone())
            .header(CONTENT_TYPE, "application/octet-stream")
            .header("x-goog-upload-content-type", mime_type)
            .header("x-goog-upload-protocol", "raw")
            .header("x-goog-hash", format!("sha1={sha1}"))
            .body(bytes.clone())
    };
    caller.library(about, request, read).await
}

/// The answer is the token itself.
fn read(body: &[u8]) -> Result<UploadToken, serde_json::Error> {
    let text = std::str::from_utf8(body).unwrap_or_default().trim();
    let is_token = (1..=LONGEST_TOKEN).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_token {
        Ok(UploadToken::new(text.to_owned()))
    } else {
        Err(serde_json::Error::custom("it is no upload token"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_no_token() {
        assert_eq!(read(b"CAIS-x_1\n").unwrap().expose(), "CAIS-x_1");
        for wrong in [&b""[..], b"<html> </html>", b"\xff", &[b'a'; 9000]] {
            assert!(read(wrong).is_err());
        }
    }
}
