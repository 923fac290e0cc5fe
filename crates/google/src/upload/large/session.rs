//! An upload session: how it is begun, asked and ended.

use bytes::Bytes;
use reqwest::{
    Client, RequestBuilder,
    header::{CONTENT_LENGTH, HeaderMap},
};
use tintype_ports::photos::{PhotoError, UploadToken};
use url::Url;

use crate::{
    attempt::{Answer, Caller, Course},
    failure::{About, Failure, unreadable},
    upload::token,
};

const COMMAND: &str = "x-goog-upload-command";
const STATUS: &str = "x-goog-upload-status";

/// What Google has asked for as long as this is known of it.
const USUAL_GRANULARITY: u64 = 256 * 1024;
/// The last piece is held whole.
const LARGEST_GRANULARITY: u64 = 64 * 1024 * 1024;

/// Where the bytes of one upload go. The address is a capability: never logged.
pub(super) struct Session {
    url: Url,
    /// Each request but the last carries a multiple of so many bytes.
    pub(super) granularity: u64,
}

/// How a session stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It waits for the bytes after these.
    Active {
        /// How many it has.
        received: u64,
    },
    /// It takes no more, and has no token for us either.
    Over,
}

impl Session {
    /// Begins a session.
    pub(super) async fn start(
        caller: &Caller,
        mime_type: &str,
        size: u64,
        course: &mut Course,
    ) -> Result<Self, PhotoError> {
        let endpoints = &caller.settings.endpoints;
        let url = endpoints.call("uploads");
        let request = |client: &Client| {
            client
                .post(url.clone())
                .header(CONTENT_LENGTH, 0)
                .header(COMMAND, "start")
                .header("x-goog-upload-content-type", mime_type)
                .header("x-goog-upload-protocol", "resumable")
                .header("x-goog-upload-raw-size", size)
        };
        let read = |answer: &Answer| begun(&answer.headers, &endpoints.library);
        let manner = caller.short(About::default());
        caller.ask(manner, request, read, course).await
    }

    /// A request for the bytes from `offset` on, which still lacks them.
    pub(super) fn upload(&self, client: &Client, command: &str, offset: u64) -> RequestBuilder {
        client
            .post(self.url.clone())
            .header(COMMAND, command)
            .header("x-goog-upload-offset", offset)
    }

    /// Sends the last bytes with the SHA-1 of all.
    pub(super) async fn finish(
        &self,
        caller: &Caller,
        offset: u64,
        rest: Bytes,
        sha1: &str,
    ) -> Result<UploadToken, Failure> {
        let request = |client: &Client| {
            self.upload(client, "upload, finalize", offset)
                .header(CONTENT_LENGTH, rest.len())
                .header("x-goog-hash", format!("sha1={sha1}"))
                .body(rest.clone())
        };
        let manner = caller.sending(rest.len());
        caller.ask_once(manner, &request, &token::read).await
    }

    /// Asks how the session stands.
    pub(super) async fn query(
        &self,
        caller: &Caller,
        size: u64,
        course: &mut Course,
    ) -> Result<Standing, PhotoError> {
        let request = |client: &Client| {
            client
                .post(self.url.clone())
                .header(CONTENT_LENGTH, 0)
                .header(COMMAND, "query")
        };
        let read = |answer: &Answer| standing(&answer.headers, size);
        let manner = caller.short(About::default());
        match caller.ask(manner, request, read, course).await {
            Err(PhotoError::ItemNotFound) => Ok(Standing::Over),
            outcome => outcome,
        }
    }
}

/// The session that an answer begins. No endpoint named in an answer is followed away from where the Library API is.
fn begun(headers: &HeaderMap, library: &Url) -> Result<Session, Failure> {
    let url = text(headers, "x-goog-upload-url").and_then(|it| Url::parse(it).ok());
    let Some(url) = url else {
        return Err(unreadable("it names no upload session"));
    };
    if url.origin() != library.origin() {
        let text = format!(
            "its upload session is at {}, not at {}",
            url.origin().ascii_serialization(),
            library.origin().ascii_serialization()
        );
        return Err(Failure::Final(PhotoError::Rejected(text)));
    }
    let granularity = match text(headers, "x-goog-upload-chunk-granularity") {
        Some(granularity) => granularity.parse().unwrap_or(0),
        None => USUAL_GRANULARITY,
    };
    if !(1..=LARGEST_GRANULARITY).contains(&granularity) {
        return Err(unreadable("its pieces have no size that can be sent"));
    }
    Ok(Session { url, granularity })
}

fn standing(headers: &HeaderMap, size: u64) -> Result<Standing, Failure> {
    match text(headers, STATUS) {
        Some("active") => {
            let received = text(headers, "x-goog-upload-size-received");
            received
                .and_then(|it| it.parse().ok())
                .filter(|received| *received <= size)
                .map(|received| Standing::Active { received })
                .ok_or_else(|| unreadable("it does not say how much has been received"))
        }
        Some("final" | "cancelled") => Ok(Standing::Over),
        _ => Err(unreadable("it does not say how the upload session stands")),
    }
}

/// Whether a session waits for more after bytes that it took.
pub(super) fn goes_on(headers: &HeaderMap) -> Result<(), Failure> {
    match text(headers, STATUS) {
        Some("active") | None => Ok(()),
        Some(_) => Err(unreadable("the upload session ended before its last bytes")),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    const HERE: &str = "https://photos.test/v1/uploads?upload_id=x";

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().copied();
        pairs
            .map(|(name, value)| {
                let name = HeaderName::from_static(name);
                (name, HeaderValue::from_static(value))
            })
            .collect()
    }

    fn session(pairs: &[(&'static str, &'static str)]) -> Result<Session, Failure> {
        let library = Url::parse("https://photos.test/some/folder").unwrap();
        begun(&headers(pairs), &library)
    }

    #[test]
    fn a_session_is_where_the_library_is_or_nowhere() {
        let here = session(&[("x-goog-upload-url", HERE)]).unwrap();
        assert_eq!((here.url.as_str(), here.granularity), (HERE, 262_144));
        for elsewhere in [
            "http://photos.test/v1/uploads?upload_id=x",
            "https://photos.test:444/v1/uploads?upload_id=x",
            "https://photos.test.evil.test/v1/uploads",
            "https://photos.test@evil.test/v1/uploads",
            "file:///v1/uploads",
        ] {
            let refused = session(&[("x-goog-upload-url", elsewhere)]).err();
            assert!(
                matches!(refused, Some(Failure::Final(PhotoError::Rejected(_)))),
                "{elsewhere}"
            );
        }
        let relative = ("x-goog-upload-url", "/v1/uploads");
        for nowhere in [vec![], vec![relative]] {
            let unreadable = session(&nowhere).err();
            assert!(matches!(unreadable, Some(Failure::Passing(_))));
        }
    }

    #[test]
    fn a_granularity_has_bounds() {
        let of = |granularity| {
            session(&[
                ("x-goog-upload-url", HERE),
                ("x-goog-upload-chunk-granularity", granularity),
            ])
        };
        assert_eq!(of("1").unwrap().granularity, 1);
        assert_eq!(of("67108864").unwrap().granularity, 64 * 1024 * 1024);
        for wrong in ["0", "-1", "67108865", "much", ""] {
            assert!(
                matches!(of(wrong).err(), Some(Failure::Passing(_))),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_session_that_is_not_active_is_over() {
        let of = |status, received| {
            let given = headers(&[
                ("x-goog-upload-status", status),
                ("x-goog-upload-size-received", received),
            ]);
            standing(&given, 10)
        };
        assert_eq!(
            of("active", "10").unwrap(),
            Standing::Active { received: 10 }
        );
        assert_eq!(of("final", "10").unwrap(), Standing::Over);
        assert_eq!(of("cancelled", "0").unwrap(), Standing::Over);
        for (status, received) in [("active", "11"), ("active", "all"), ("asleep", "1")] {
            assert!(of(status, received).is_err(), "{status} {received}");
        }
        assert!(standing(&headers(&[]), 10).is_err());
    }

    #[test]
    fn a_session_goes_on_unless_it_says_that_it_does_not() {
        assert!(goes_on(&headers(&[])).is_ok());
        assert!(goes_on(&headers(&[("x-goog-upload-status", "active")])).is_ok());
        assert!(goes_on(&headers(&[("x-goog-upload-status", "final")])).is_err());
    }
}
