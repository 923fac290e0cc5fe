//! What the head of a base URL's answer means, and whether the first bytes are those of a web page.

use reqwest::{
    Response, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderName},
};
use tintype_ports::photos::PhotoError;

use crate::{
    attempt::read_bounded,
    failure::{self, Failure, Passing},
};

/// How much of an error's body is read, in bytes.
const LONGEST_ERROR: usize = 16 * 1024;

/// The head of an answer that carries bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    /// Position of the first byte in the whole item.
    pub(super) start: u64,
    /// Length of the whole item, where the answer tells.
    pub(super) total: Option<u64>,
    pub(super) content_type: Option<String>,
    pub(super) etag: Option<String>,
}

/// Reads the head of an answer to a request for the bytes from `given` on.
pub(super) async fn judge(response: Response, given: u64) -> Result<(Head, Response), Failure> {
    let status = response.status();
    if status == StatusCode::OK || (status == StatusCode::PARTIAL_CONTENT && given > 0) {
        let head = head(status, response.headers(), given)?;
        return Ok((head, response));
    }
    Err(refused(status, response).await)
}

/// The length that the answer to a HEAD tells.
pub(super) async fn told_length(response: Response) -> Result<Option<u64>, Failure> {
    match response.status() {
        StatusCode::OK => Ok(length(response.headers())),
        StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => Ok(None),
        status => Err(refused(status, response).await),
    }
}

/// The length of the item, unless the head is that of something else: a page or nothing says nothing of the photo.
fn length(headers: &HeaderMap) -> Option<u64> {
    if text(headers, &CONTENT_TYPE).is_some_and(is_no_media_type) {
        return None;
    }
    let length = text(headers, &CONTENT_LENGTH)?.parse().ok()?;
    (length > 0).then_some(length)
}

fn head(status: StatusCode, headers: &HeaderMap, given: u64) -> Result<Head, Failure> {
    let content_type = text(headers, &CONTENT_TYPE).map(str::to_owned);
    if let Some(kind) = content_type.as_deref().filter(|it| is_no_media_type(it)) {
        return Err(Failure::Final(PhotoError::NotMedia(format!(
            "it is {kind}"
        ))));
    }
    let length = text(headers, &CONTENT_LENGTH).and_then(|it| it.parse::<u64>().ok());
    let (start, total) = if status == StatusCode::OK {
        (0, length)
    } else {
        let range = text(headers, &CONTENT_RANGE).and_then(content_range);
        let Some((start, total)) = range.filter(|(start, _)| *start == given) else {
            let wrong = Passing::trouble("the answer to a Range is another stretch than asked for");
            return Err(Failure::Passing(wrong));
        };
        let promised = length.map(|length| start.saturating_add(length));
        if let (Some(total), Some(end)) = (total, promised)
            && end > total
        {
            return Err(too_much(end, total));
        }
        (start, total)
    };
    if total == Some(0) {
        return Err(Failure::Final(PhotoError::NotMedia("empty".to_owned())));
    }
    Ok(Head {
        start,
        total,
        content_type,
        etag: text(headers, &ETAG).map(str::to_owned),
    })
}

/// More bytes than the item has.
pub(super) fn too_much(got: u64, total: u64) -> Failure {
    let text = format!("{got} bytes came where {total} were promised");
    Failure::Final(PhotoError::NotMedia(text))
}

/// True for the first bytes of a web page, however few. No photo or video begins with `<`.
pub(crate) fn looks_like_a_web_page(first: &[u8]) -> bool {
    let text = first
        .strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(first)
        .trim_ascii_start();
    let begins = |word: &[u8]| {
        let common = word.len().min(text.len());
        common > 0 && text[..common].eq_ignore_ascii_case(&word[..common])
    };
    begins(b"<!doctype") || begins(b"<html") || begins(b"<head")
}

async fn refused(status: StatusCode, response: Response) -> Failure {
    match status {
        StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED | StatusCode::GONE => {
            return Failure::Final(PhotoError::BaseUrlExpired);
        }
        StatusCode::NOT_FOUND => return Failure::Final(PhotoError::ItemNotFound),
        _ => {}
    }
    let headers = response.headers().clone();
    let body = read_bounded(response, LONGEST_ERROR)
        .await
        .unwrap_or_default();
    let text = String::from_utf8_lossy(&body);
    if status == StatusCode::TOO_MANY_REQUESTS {
        return failure::of_too_many(&text, &headers);
    }
    let passes = status.is_server_error() || status.is_redirection();
    if passes || status == StatusCode::REQUEST_TIMEOUT {
        return failure::passing(status, "the bytes are not to be had", &headers);
    }
    let text = format!("the bytes are not given ({})", status.as_u16());
    Failure::Final(PhotoError::Rejected(text))
}

/// True for the types of pages and error messages.
pub(crate) fn is_no_media_type(content_type: &str) -> bool {
    let plain = content_type.trim().to_ascii_lowercase();
    plain.starts_with("text/") || plain.starts_with("application/json")
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// `bytes 5-9/10` as the start and the total; `*` stands for an unknown total.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    let total = if total == "*" {
        None
    } else {
        Some(total.parse().ok()?)
    };
    Some((start.parse().ok()?, total))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn web_pages_are_known_by_their_first_bytes() {
        for page in [
            "<!DOCTYPE html>",
            "\u{feff}\r\n <HTML lang=de>",
            "<",
            "<!doc",
        ] {
            assert!(looks_like_a_web_page(page.as_bytes()), "{page}");
        }
        for media in [
            &b"\xFF\xD8\xFF\xE0"[..],
            b"\x89PNG\r\n",
            b"",
            b"<svg>",
            b"    ftyp",
        ] {
            assert!(!looks_like_a_web_page(media), "{media:?}");
        }
    }

    #[test]
    fn a_range_must_begin_where_it_was_asked_to() {
        let partial = |range: &str, given| {
            head(
                StatusCode::PARTIAL_CONTENT,
                &headers(&[(CONTENT_RANGE, range)]),
                given,
            )
        };
        assert_eq!(partial("bytes 5-9/10", 5).unwrap().total, Some(10));
        assert_eq!(partial("bytes 5-9/*", 5).unwrap().total, None);
        assert!(matches!(
            partial("bytes 4-9/10", 5),
            Err(Failure::Passing(_))
        ));
        assert!(matches!(partial("garbage", 5), Err(Failure::Passing(_))));
    }

    #[test]
    fn a_stretch_beyond_the_end_is_not_the_photo() {
        let given = headers(&[(CONTENT_RANGE, "bytes 5-9/10"), (CONTENT_LENGTH, "6")]);
        let failure = head(StatusCode::PARTIAL_CONTENT, &given, 5);
        assert!(matches!(
            failure,
            Err(Failure::Final(PhotoError::NotMedia(_)))
        ));
    }

    #[test]
    fn a_head_tells_the_length_of_a_photo_and_of_nothing_else() {
        let photo = (CONTENT_TYPE, "image/jpeg");
        let told = |pairs: &[_]| length(&headers(pairs));
        assert_eq!(told(&[photo.clone(), (CONTENT_LENGTH, "9")]), Some(9));
        assert_eq!(told(&[(CONTENT_LENGTH, "9")]), Some(9));
        for silent in [
            vec![photo.clone()],
            vec![photo.clone(), (CONTENT_LENGTH, "0")],
            vec![photo, (CONTENT_LENGTH, "-1")],
            vec![(CONTENT_TYPE, "text/html"), (CONTENT_LENGTH, "9")],
        ] {
            assert_eq!(told(&silent), None, "{silent:?}");
        }
    }

    #[test]
    fn text_and_nothing_are_not_the_photo() {
        for wrong in [
            (CONTENT_TYPE, "text/html; charset=utf-8"),
            (CONTENT_TYPE, "application/json"),
            (CONTENT_LENGTH, "0"),
        ] {
            let failure = head(StatusCode::OK, &headers(&[wrong]), 0);
            assert!(matches!(
                failure,
                Err(Failure::Final(PhotoError::NotMedia(_)))
            ));
        }
    }
}
