//! The address of a full-resolution download proxy: a program that fetches originals with a browser that is signed in.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::item::ProviderId;

/// No address of a proxy is longer, in bytes.
const LONGEST: usize = 2_048;

/// Where a full-resolution proxy answers: `{proxy}/id/{item}` is an item's original.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProxyUrl(Url);

/// Why a text is no address of a proxy. What was written is not repeated: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProxyUrlError {
    /// No URL, or one without a host.
    #[error("is no address; write one such as http://127.0.0.1:8282")]
    NoAddress,
    /// Another scheme.
    #[error("must begin with http:// or https://")]
    Scheme,
    /// It would be shown to whoever may see the storage.
    #[error("must not hold a name or password; let the proxy listen where only Tintype reaches it")]
    Credentials,
    /// `/id/…` could not be put behind it.
    #[error("must end with the path, without ? or #")]
    Tail,
    /// Longer than an address may be.
    #[error("is too long; an address has at most {LONGEST} characters")]
    TooLong,
}

impl ProxyUrl {
    /// Where the proxy answers with an item's original.
    #[must_use]
    pub fn original_of(&self, item: &ProviderId) -> Url {
        let mut url = self.0.clone();
        // An id has no character that means anything in a path.
        let path = format!("{}/id/{item}", self.0.path().trim_end_matches('/'));
        url.set_path(&path);
        url
    }

    /// The address itself.
    #[must_use]
    pub const fn as_url(&self) -> &Url {
        &self.0
    }
}

impl FromStr for ProxyUrl {
    type Err = ProxyUrlError;

    fn from_str(text: &str) -> Result<Self, ProxyUrlError> {
        let text = text.trim();
        if text.len() > LONGEST {
            return Err(ProxyUrlError::TooLong);
        }
        let mut url = Url::parse(text).map_err(|_| ProxyUrlError::NoAddress)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(ProxyUrlError::Scheme);
        }
        if !url.has_host() {
            return Err(ProxyUrlError::NoAddress);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ProxyUrlError::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(ProxyUrlError::Tail);
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }
}

impl TryFrom<String> for ProxyUrl {
    type Error = ProxyUrlError;

    fn try_from(text: String) -> Result<Self, ProxyUrlError> {
        text.parse()
    }
}

impl From<ProxyUrl> for String {
    fn from(url: ProxyUrl) -> Self {
        url.to_string()
    }
}

impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn original(proxy: &str) -> String {
        let proxy: ProxyUrl = proxy.parse().unwrap();
        proxy.original_of(&"AB-c_1".parse().unwrap()).to_string()
    }

    #[test]
    fn an_item_stands_behind_the_base_path() {
        for (proxy, expected) in [
            ("http://127.0.0.1:8282", "http://127.0.0.1:8282/id/AB-c_1"),
            ("http://127.0.0.1:8282/", "http://127.0.0.1:8282/id/AB-c_1"),
            ("https://h.example/dl", "https://h.example/dl/id/AB-c_1"),
            ("https://h.example/dl//", "https://h.example/dl/id/AB-c_1"),
            (
                "https://h.example/a%20b",
                "https://h.example/a%20b/id/AB-c_1",
            ),
        ] {
            assert_eq!(original(proxy), expected, "{proxy}");
        }
    }

    #[test]
    fn what_cannot_be_an_address_is_told_without_repeating_it() {
        let long = format!("http://h/{}", "x".repeat(LONGEST));
        for (text, expected) in [
            ("", ProxyUrlError::NoAddress),
            ("127.0.0.1:8282", ProxyUrlError::NoAddress),
            ("http://", ProxyUrlError::NoAddress),
            ("ftp://h.example", ProxyUrlError::Scheme),
            ("localhost:8282", ProxyUrlError::Scheme),
            ("http://me:hunter2@h.example", ProxyUrlError::Credentials),
            ("http://me@h.example", ProxyUrlError::Credentials),
            ("http://h.example/?x=1", ProxyUrlError::Tail),
            ("http://h.example/#x", ProxyUrlError::Tail),
            (long.as_str(), ProxyUrlError::TooLong),
        ] {
            assert_eq!(text.parse::<ProxyUrl>(), Err(expected), "{text:.40}");
            assert!(!expected.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn it_is_kept_as_text() {
        let proxy: ProxyUrl = " http://h.example:80/dl/ ".parse().unwrap();
        let text = serde_json::to_string(&proxy).unwrap();
        assert_eq!(text, r#""http://h.example/dl""#);
        assert_eq!(serde_json::from_str::<ProxyUrl>(&text).unwrap(), proxy);
    }
}
