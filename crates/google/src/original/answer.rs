//! What the head of a proxy's answer means.

use reqwest::{
    Response, StatusCode,
    header::{
        CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderMap, HeaderName,
        TRANSFER_ENCODING,
    },
};
use tintype_ports::originals::{OriginalError, Stretch};

use crate::download::is_no_media_type;

/// The length of the whole original, where an answer that may carry it tells.
pub(super) fn judge(response: &Response, stretch: Stretch) -> Result<Option<u64>, OriginalError> {
    let (status, headers) = (response.status(), response.headers());
    let is_part = status == StatusCode::PARTIAL_CONTENT;
    match status {
        StatusCode::OK => {}
        StatusCode::PARTIAL_CONTENT if matches!(stretch, Stretch::Beginning(_)) => {}
        StatusCode::NOT_FOUND | StatusCode::GONE => return Err(OriginalError::NotFound),
        status if status.is_redirection() => return Err(OriginalError::Redirect),
        status => return Err(OriginalError::Status(status.as_u16())),
    }
    if let Some(kind) = text(headers, &CONTENT_TYPE).filter(|it| is_no_media_type(it)) {
        return Err(OriginalError::NotMedia(format!("it is {kind}")));
    }
    if text(headers, &CONTENT_ENCODING).is_some_and(|it| it != "identity") {
        let text = "it is compressed, which was not asked for".to_owned();
        return Err(OriginalError::NotMedia(text));
    }
    if is_part {
        let total = text(headers, &CONTENT_RANGE).and_then(|it| it.rsplit_once('/'));
        return Ok(total.and_then(|(_, total)| total.parse().ok()));
    }
    let length = text(headers, &CONTENT_LENGTH).and_then(|it| it.parse::<u64>().ok());
    match (length, stretch) {
        (Some(0), _) => Err(OriginalError::NotMedia("empty".to_owned())),
        (Some(length), Stretch::Whole { most }) if length > most => Err(too_long(most)),
        // A body that ends with its connection cannot be told from one that broke.
        (None, Stretch::Whole { .. }) if !headers.contains_key(TRANSFER_ENCODING) => {
            let text = "its length is not told".to_owned();
            Err(OriginalError::NotMedia(text))
        }
        (length, _) => Ok(length),
    }
}

/// More bytes than any original has.
pub(super) fn too_long(most: u64) -> OriginalError {
    OriginalError::NotMedia(format!("it is longer than {most} bytes"))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
