//! One download of one original.

use std::{error::Error, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::{
    Response,
    header::{ACCEPT_ENCODING, HeaderValue, RANGE},
};
use tintype_model::{item::ProviderId, storage::ProxyUrl};
use tintype_ports::{
    originals::{OriginalError, Stretch, Turn},
    photos::Persistence,
};
use tintype_runtime::http::InsideAddress;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tracing::Span;

use super::{
    Way,
    answer::{judge, too_long},
    lane::Place,
};
use crate::{call, download::looks_like_a_web_page, failure::chain};

pub(super) struct ProxyTurn {
    way: Arc<Way>,
    proxy: ProxyUrl,
    place: Place,
    persistence: Persistence,
    open: Option<Open>,
    /// What the last answer told of the original's length.
    total: Option<u64>,
}

/// An answer whose bytes are being read.
struct Open {
    response: Response,
    began: Instant,
    stretch: Stretch,
    given: u64,
    /// Only held: it ends with the last of the bytes.
    _call: Span,
}

impl ProxyTurn {
    pub(super) fn new(
        way: Arc<Way>,
        proxy: &ProxyUrl,
        place: Place,
        persistence: Persistence,
    ) -> Self {
        Self {
            way,
            proxy: proxy.clone(),
            place,
            persistence,
            open: None,
            total: None,
        }
    }

    fn is_test(&self) -> bool {
        self.persistence == Persistence::Once
    }

    async fn attempt(&mut self, item: &ProviderId, stretch: Stretch) -> Result<(), OriginalError> {
        let way = &self.way;
        let url = self.proxy.original_of(item);
        way.client
            .check(&url)
            .map_err(|inside| OriginalError::Forbidden(inside.to_string()))?;
        let mut request = way.client.client().get(url);
        // Bytes that were packed on the way would not be the original's.
        request = request.header(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Stretch::Beginning(length) = stretch {
            request = request.header(RANGE, format!("bytes=0-{}", length.saturating_sub(1)));
        }
        let within = if self.is_test() {
            way.settings.test
        } else {
            way.settings.head
        };
        let span = call::span(call::ORIGINAL);
        let answer = timeout(within, request.send()).await;
        let response = answer
            .map_err(|_| too_slow("no answer", within))?
            .map_err(of_send)?;
        call::answered(&span, response.status());
        self.total = judge(&response, stretch)?;
        self.open = Some(Open {
            response,
            began: Instant::now(),
            stretch,
            given: 0,
            _call: span,
        });
        Ok(())
    }

    /// The next bytes of the open answer.
    async fn piece(&mut self) -> Result<Option<Bytes>, OriginalError> {
        let Some(open) = &mut self.open else {
            return Ok(None);
        };
        let settings = &self.way.settings;
        let (silence, within) = match self.persistence {
            Persistence::Once => (settings.test, settings.test),
            Persistence::Usual => {
                let length = self.total.unwrap_or(open.given);
                (settings.silence, settings.body_within(length))
            }
        };
        let (quiet, over) = (Instant::now() + silence, open.began + within);
        let read = timeout_at(quiet.min(over), open.response.chunk()).await;
        let piece = match read {
            Ok(Ok(piece)) => piece,
            Ok(Err(error)) => return Err(OriginalError::CutShort(chain(&error.without_url()))),
            Err(_) if over <= quiet => return Err(too_slow("no end of its bytes", within)),
            Err(_) => return Err(too_slow("silence amid its bytes", silence)),
        };
        let Some(piece) = piece else {
            return self.end();
        };
        if open.given == 0 && looks_like_a_web_page(&piece) {
            let text = "it begins like a web page".to_owned();
            return Err(OriginalError::NotMedia(text));
        }
        open.given += piece.len() as u64;
        match open.stretch {
            Stretch::Whole { most } if open.given > most => Err(too_long(most)),
            _ => Ok(Some(piece)),
        }
    }

    fn end(&mut self) -> Result<Option<Bytes>, OriginalError> {
        let Some(open) = self.open.take() else {
            return Ok(None);
        };
        match (open.given, open.stretch, self.total) {
            (0, _, _) => Err(OriginalError::NotMedia("empty".to_owned())),
            (given, Stretch::Whole { .. }, Some(total)) if given != total => Err(
                OriginalError::CutShort(format!("{given} of {total} bytes came")),
            ),
            _ => Ok(None),
        }
    }

    fn failed(&mut self) {
        self.open = None;
        let unit = self.way.entropy.unit();
        if let Some(rest) = self.place.failed(unit, &self.way.settings) {
            let host = self.proxy.as_url().host_str().unwrap_or_default();
            tracing::warn!(
                proxy.host = host,
                rest.seconds = rest.as_secs(),
                "a download proxy failed a few times in a row and rests; downloads go on without it"
            );
        }
    }
}

#[async_trait]
impl Turn for ProxyTurn {
    async fn ask(&mut self, item: &ProviderId, stretch: Stretch) -> Result<(), OriginalError> {
        let settings = &self.way.settings;
        let (retries, pause) = (settings.retries, settings.retry_after);
        let mut left = if self.is_test() { 0 } else { retries };
        loop {
            let Err(error) = self.attempt(item, stretch).await else {
                return Ok(());
            };
            if left == 0 || !may_pass(&error) {
                self.failed();
                return Err(error);
            }
            left -= 1;
            sleep(pause.mul_f64(1.0 + self.way.entropy.unit() / 2.0)).await;
        }
    }

    fn total_length(&self) -> Option<u64> {
        self.total
    }

    async fn next(&mut self) -> Result<Option<Bytes>, OriginalError> {
        loop {
            match self.piece().await {
                Ok(Some(piece)) if piece.is_empty() => {}
                Ok(piece) => return Ok(piece),
                Err(error) => {
                    self.failed();
                    return Err(error);
                }
            }
        }
    }

    fn judge(&mut self, is_the_item: bool) {
        if is_the_item {
            self.place.succeeded();
        } else {
            self.failed();
        }
    }
}

/// Whether the same question may soon be answered. One that hung is not asked again: it would hang as long.
const fn may_pass(error: &OriginalError) -> bool {
    matches!(
        error,
        OriginalError::Unreachable(_) | OriginalError::Status(429 | 500..)
    )
}

fn too_slow(what: &str, within: Duration) -> OriginalError {
    OriginalError::TooSlow(format!("{what} within {} s", within.as_secs_f32()))
}

fn of_send(error: reqwest::Error) -> OriginalError {
    let error = error.without_url();
    let cause: &(dyn Error + 'static) = &error;
    if let Some(inside) = InsideAddress::within(cause) {
        return OriginalError::Forbidden(inside.to_string());
    }
    if error.is_builder() {
        // Only who may reach neighbours speaks plain http.
        return OriginalError::Forbidden("it must begin with https://".to_owned());
    }
    OriginalError::Unreachable(chain(cause))
}

#[cfg(test)]
mod tests {
    use tintype_runtime::HttpSettings;

    use super::*;

    #[tokio::test]
    async fn a_name_that_resolves_inside_is_forbidden_and_no_address_is_told() {
        let guarded = HttpSettings::default().guarded(false).unwrap();
        // As a name of the outside world would be: nobody looked at how it is written.
        let sent = guarded.client().get("https://localhost:9/id/AB").send();
        let error = of_send(sent.await.unwrap_err());
        assert!(matches!(error, OriginalError::Forbidden(_)), "{error}");
        assert!(!error.to_string().contains("/id/"), "{error}");
    }
}
