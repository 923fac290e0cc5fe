//! Walks a listing page by page; while one page is worked on, the next one is already on its way.

use std::sync::Arc;

use tintype_ports::{
    PhotoError, PhotoSource,
    photos::{ListedItem, Page, Scope},
};
use tokio_util::task::AbortOnDropHandle;

type Fetch = AbortOnDropHandle<Result<Page<ListedItem>, PhotoError>>;

/// How often a listing may begin again because its page token died.
const RESTARTS: u32 = 3;

/// A walk through a listing.
pub(crate) struct Listing {
    source: Arc<dyn PhotoSource>,
    scope: Scope,
    ahead: bool,
    token: Option<String>,
    fetch: Option<Fetch>,
    over: bool,
    restarts_left: u32,
}

impl Listing {
    /// From `token` on, or from the start. `ahead`: ask for the next page before the present one is worked on.
    pub(crate) fn new(
        source: Arc<dyn PhotoSource>,
        scope: Scope,
        token: Option<String>,
        ahead: bool,
    ) -> Self {
        Self {
            source,
            scope,
            ahead,
            token,
            fetch: None,
            over: false,
            restarts_left: RESTARTS,
        }
    }

    /// Where the page that comes next begins; `None` at the start and after the end.
    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The next page; `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<Page<ListedItem>>, PhotoError> {
        if self.over {
            return Ok(None);
        }
        loop {
            let fetched = match &mut self.fetch {
                Some(fetch) => fetch
                    .await
                    .unwrap_or_else(|error| Err(PhotoError::Unavailable(error.to_string()))),
                None => self.source.list(&self.scope, self.token.as_deref()).await,
            };
            self.fetch = None;
            match fetched {
                Ok(page) => {
                    self.token.clone_from(&page.next);
                    self.over = page.next.is_none();
                    if self.ahead && !self.over {
                        self.fetch = Some(self.begin());
                    }
                    return Ok(Some(page));
                }
                // What was listed before is known by now and costs nothing but the requests.
                Err(PhotoError::PageTokenExpired)
                    if self.restarts_left > 0 && self.token.is_some() =>
                {
                    self.restarts_left -= 1;
                    self.token = None;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn begin(&self) -> Fetch {
        let (source, scope, token) = (
            Arc::clone(&self.source),
            self.scope.clone(),
            self.token.clone(),
        );
        AbortOnDropHandle::new(tokio::spawn(async move {
            source.list(&scope, token.as_deref()).await
        }))
    }
}
