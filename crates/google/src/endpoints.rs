//! Where Google is. Pinned in configuration: no endpoint named inside a token or an answer is ever followed.

use std::sync::LazyLock;

use url::Url;

/// Google's endpoints. `Default` is Google itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoogleEndpoints {
    /// Root of the Library API, without `/v1`.
    pub library: Url,
    /// Root of the Picker API, without `/v1`.
    pub picker: Url,
    /// Where grants are traded for access tokens.
    pub token: Url,
    /// Where grants are revoked.
    pub revoke: Url,
    /// The consent page that a person is sent to.
    pub auth: Url,
    /// Who an access token is of.
    pub user_info: Url,
}

static GOOGLE: LazyLock<GoogleEndpoints> = LazyLock::new(|| GoogleEndpoints {
    library: pinned("https://photoslibrary.googleapis.com/"),
    picker: pinned("https://photospicker.googleapis.com/"),
    token: pinned("https://oauth2.googleapis.com/token"),
    revoke: pinned("https://oauth2.googleapis.com/revoke"),
    auth: pinned("https://accounts.google.com/o/oauth2/v2/auth"),
    user_info: pinned("https://www.googleapis.com/oauth2/v3/userinfo"),
});

#[expect(clippy::expect_used, reason = "constants, which a test reads")]
fn pinned(text: &str) -> Url {
    Url::parse(text).expect("a pinned endpoint is a URL")
}

impl Default for GoogleEndpoints {
    fn default() -> Self {
        GOOGLE.clone()
    }
}

impl GoogleEndpoints {
    /// An emulator that serves everything below one base URL such as `http://127.0.0.1:8080`.
    #[must_use]
    pub fn at(base: &Url) -> Self {
        Self {
            library: base.clone(),
            picker: base.clone(),
            token: below(base, "token"),
            revoke: below(base, "revoke"),
            auth: below(base, "o/oauth2/v2/auth"),
            user_info: below(base, "oauth2/v3/userinfo"),
        }
    }

    /// A call of the Library API, such as `mediaItems:search`.
    pub(crate) fn call(&self, path: &str) -> Url {
        below(&self.library, &format!("v1/{path}"))
    }

    /// A call of the Picker API, such as `sessions`.
    pub(crate) fn pick(&self, path: &str) -> Url {
        below(&self.picker, &format!("v1/{path}"))
    }
}

/// `path` below `base`, whether or not `base` ends with a slash. (`Url::join` would take `mediaItems:search` for a scheme.)
fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    let folder = base.path().trim_end_matches('/');
    url.set_path(&format!("{folder}/{path}"));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn google_is_the_default() {
        let google = GoogleEndpoints::default();
        let search = google.call("mediaItems:search");
        assert_eq!(
            search.as_str(),
            "https://photoslibrary.googleapis.com/v1/mediaItems:search"
        );
        assert_eq!(google.token.as_str(), "https://oauth2.googleapis.com/token");
    }

    #[test]
    fn an_emulator_serves_all_below_one_url() {
        for base in [
            "http://127.0.0.1:8080/google",
            "http://127.0.0.1:8080/google/",
        ] {
            let emulator = GoogleEndpoints::at(&Url::parse(base).unwrap());
            let search = emulator.call("mediaItems:search");
            assert_eq!(
                search.as_str(),
                "http://127.0.0.1:8080/google/v1/mediaItems:search"
            );
            assert_eq!(
                emulator.token.as_str(),
                "http://127.0.0.1:8080/google/token"
            );
        }
    }
}
