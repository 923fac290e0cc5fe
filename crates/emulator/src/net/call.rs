//! A call as it came in, and the reply as it goes out.

use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use crate::serving::body::Body;

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is dropped on purpose")]
pub(crate) struct Dropped;

/// How a call reached the emulator.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    /// `http` or `https`.
    pub(crate) scheme: &'static str,
    /// Google's host name, when the call came through the intercepting proxy.
    pub(crate) google_host: Option<String>,
    /// The listener's own authority, for calls without a Host header.
    pub(crate) authority: String,
}

/// One request: its head, and its body still to be read.
pub(crate) struct Call {
    pub(crate) head: Parts,
    pub(crate) body: Incoming,
    pub(crate) link: Link,
}

impl Call {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header_text(&self.head.headers, name)
    }

    pub(crate) fn query(&self) -> &str {
        self.head.uri.query().unwrap_or("")
    }

    /// The first value of a query parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        parameter(self.query(), name)
    }

    /// The address the caller knows the emulator by: `http://127.0.0.1:1234` or `https://photoslibrary.googleapis.com`.
    pub(crate) fn own_base(&self) -> String {
        let host = match &self.link.google_host {
            Some(host) => host,
            None => self.header("host").unwrap_or(&self.link.authority),
        };
        format!("{}://{host}", self.link.scheme)
    }

    /// What base URLs begin with for this caller.
    pub(crate) fn media_base(&self) -> String {
        match self.link.google_host {
            Some(_) => "https://lh3.googleusercontent.com/lr/".to_owned(),
            None => format!("{}{}", self.own_base(), crate::serving::base_url::PREFIX),
        }
    }

    /// The whole body, if it is not longer than `limit` bytes and arrives whole.
    pub(crate) async fn text(&mut self, limit: usize) -> Result<Bytes, Dropped> {
        let mut out = BytesMut::new();
        while let Some(frame) = self.body.frame().await {
            let Ok(data) = frame.map_err(|_| Dropped)?.into_data() else {
                continue;
            };
            if out.len() + data.len() > limit {
                return Err(Dropped);
            }
            out.extend_from_slice(&data);
        }
        Ok(out.freeze())
    }
}

/// A header's text, if it is there and readable.
pub(crate) fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The first value of a parameter in a query or form.
pub(crate) fn parameter(query: &str, name: &str) -> Option<String> {
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// A reply before faults are applied.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    /// Items that the call was to make.
    pub(crate) items: u32,
}

impl Reply {
    pub(crate) fn new(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self {
            status,
            headers,
            body: Body::from_text(body),
            items: 0,
        }
    }

    pub(crate) fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self::new(status, "application/json; charset=UTF-8", body)
    }

    pub(crate) fn value(status: u16, value: &serde_json::Value) -> Self {
        Self::json(status, value.to_string())
    }

    pub(crate) fn text(status: u16, body: impl Into<Bytes>) -> Self {
        Self::new(status, "text/plain; charset=UTF-8", body)
    }

    pub(crate) fn html(status: u16, body: impl Into<Bytes>) -> Self {
        Self::new(status, "text/html; charset=UTF-8", body)
    }

    /// Adds a header; a value that no header can hold is left out.
    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }
}
