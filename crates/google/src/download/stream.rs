//! The bytes of one item, handed out as they come; interruptions are healed by asking for the rest.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::{Response, header::RANGE};
use tintype_model::{item::MediaKind, quota::QuotaKind};
use tintype_ports::photos::{BaseUrl, Download, PhotoError, Traffic};
use tokio::time::{Instant, timeout};
use tracing::Span;

use super::{
    answer::{Head, judge, looks_like_a_web_page, too_much},
    with_suffix,
};
use crate::{
    attempt::Caller,
    call,
    failure::{self, Failure, Passing},
    patience::Patience,
};

/// So many bytes without a break renew the patience: a long video may break more often than a photo.
const RENEWING_PROGRESS: u64 = 16 * 1024 * 1024;

/// The bytes of one item.
pub(super) struct GoogleDownload {
    caller: Arc<Caller>,
    kind: MediaKind,
    url: String,
    patience: Patience,
    /// The open answer; `None` before the first, after a break and at the end.
    response: Option<Response>,
    /// When the open answer was asked for.
    asked_at: Option<Instant>,
    /// The open answer's call, from its request to the last of its bytes. Only held, never entered: it would end with the last
    /// time it was left.
    call: Span,
    /// What the first answer said of the item.
    first: Option<Head>,
    /// Bytes handed out.
    given: u64,
    /// Bytes of the open answer that have been handed out before, because it began at the start.
    skip: u64,
    /// `given` at the last break.
    broke_at: u64,
    ended: bool,
}

impl GoogleDownload {
    pub(super) fn new(caller: Arc<Caller>, url: &BaseUrl, kind: MediaKind) -> Self {
        Self {
            caller,
            kind,
            url: with_suffix(url, kind),
            patience: Patience::default(),
            response: None,
            asked_at: None,
            call: Span::none(),
            first: None,
            given: 0,
            skip: 0,
            broke_at: 0,
            ended: false,
        }
    }

    /// Asks for the bytes from `given` on until an answer carries them.
    pub(super) async fn connect(&mut self) -> Result<(), PhotoError> {
        loop {
            self.caller
                .gate
                .admit(QuotaKind::Download)
                .await
                .map_err(failure::of_quota)?;
            match self.one_attempt().await {
                Ok(()) => return Ok(()),
                Err(failure) => self.settle(failure).await?,
            }
        }
    }

    async fn one_attempt(&mut self) -> Result<(), Failure> {
        let mut request = self.caller.client.get(&self.url);
        if self.given > 0 {
            request = request.header(RANGE, format!("bytes={}-", self.given));
        }
        let request = self.caller.for_bytes(request).await?;
        let deadline = self.caller.settings.deadlines.download_head;
        let started = Instant::now();
        let mut head_at = None;
        let given = self.given;
        let span = call::span(call::DOWNLOAD);
        let whole = async {
            let response = request.send().await.map_err(failure::of_send);
            head_at = Some(Instant::now());
            let response = response?;
            call::answered(&span, response.status());
            judge(response, given).await
        };
        let result = timeout(deadline, whole).await.unwrap_or_else(|_| {
            let text = format!("no answer within {} s", deadline.as_secs_f32());
            Err(Failure::Passing(Passing::trouble(text)))
        });
        let opened = result.and_then(|(head, response)| {
            self.skip = self.fitting(&head)?;
            self.first.get_or_insert(head);
            self.response = Some(response);
            Ok(())
        });
        match &opened {
            // How it went is known when its bytes have ended.
            Ok(()) => {
                self.asked_at = Some(started);
                self.call = span;
            }
            Err(failure) => {
                call::ended(&span, Some(failure));
                self.caller
                    .observe(Traffic::Download, started, head_at, Some(failure));
            }
        }
        opened
    }

    /// Reports the open answer, now that its bytes have ended well or badly.
    fn observe(&mut self, failure: Option<&Failure>) {
        let span = std::mem::replace(&mut self.call, Span::none());
        call::ended(&span, failure);
        if let Some(asked_at) = self.asked_at.take() {
            self.caller
                .observe(Traffic::Download, asked_at, None, failure);
        }
    }

    /// How many bytes of the new answer are to be skipped, if it is of the same item as the first.
    fn fitting(&mut self, head: &Head) -> Result<u64, Failure> {
        let Some(first) = &mut self.first else {
            return Ok(0);
        };
        let known_to_differ = |a: &Option<_>, b: &Option<_>| a.is_some() && b.is_some() && a != b;
        let changed = first.total.zip(head.total).is_some_and(|(a, b)| a != b)
            || known_to_differ(&first.etag, &head.etag);
        if changed {
            let text = "the item changed while it was being downloaded".to_owned();
            return Err(Failure::Final(PhotoError::Unavailable(text)));
        }
        let skip = self.given - head.start;
        if skip > 0 && (first.total.is_none() || head.total.is_none()) {
            let text = "the download broke, and the rest of it cannot be asked for".to_owned();
            return Err(Failure::Final(PhotoError::Unavailable(text)));
        }
        first.total = first.total.or(head.total);
        Ok(skip)
    }

    async fn settle(&mut self, failure: Failure) -> Result<(), PhotoError> {
        if self.given - self.broke_at >= RENEWING_PROGRESS {
            self.patience.renew();
        }
        self.broke_at = self.given;
        self.caller
            .settle(failure, QuotaKind::Download, &mut self.patience)
            .await
    }

    fn total(&self) -> Option<u64> {
        self.first.as_ref().and_then(|head| head.total)
    }

    /// What to hand out of a piece that came.
    fn take(&mut self, mut piece: Bytes) -> Result<Bytes, Failure> {
        let known = usize::try_from(self.skip)
            .unwrap_or(usize::MAX)
            .min(piece.len());
        self.skip -= known as u64;
        let piece = piece.split_off(known);
        if self.given == 0 && looks_like_a_web_page(&piece) {
            let text = "it begins like a web page".to_owned();
            return Err(Failure::Final(PhotoError::NotMedia(text)));
        }
        let after = self.given + piece.len() as u64;
        if let Some(total) = self.total().filter(|total| after > *total) {
            return Err(too_much(after, total));
        }
        self.given = after;
        Ok(piece)
    }

    /// The next piece of the open answer, or `None` at its end.
    async fn piece(&mut self) -> Result<Option<Bytes>, Passing> {
        let Some(response) = &mut self.response else {
            return Ok(None);
        };
        let silence = self.caller.settings.deadlines.download_idle;
        match timeout(silence, response.chunk()).await {
            Ok(Ok(piece)) => Ok(piece),
            Ok(Err(error)) => Err(self.cut_short(&failure::of_transport(error).text)),
            Err(_) => Err(Passing::trouble(format!(
                "silence for {} s",
                silence.as_secs_f32()
            ))),
        }
    }

    /// Whether the end of the open answer is the end of the item.
    fn end(&mut self) -> Result<(), Failure> {
        let missing = self.total().is_some_and(|total| self.given < total);
        if missing || self.skip > 0 {
            return Err(Failure::Passing(self.cut_short("the answer ended")));
        }
        if self.given == 0 {
            return Err(Failure::Final(PhotoError::NotMedia("empty".to_owned())));
        }
        self.ended = true;
        Ok(())
    }

    fn cut_short(&self, why: &str) -> Passing {
        let of = self
            .total()
            .map_or_else(String::new, |total| format!(" of {total}"));
        let text = format!("it is cut short after {}{of} bytes: {why}", self.given);
        Passing {
            cut_short: true,
            ..Passing::trouble(text)
        }
    }
}

#[async_trait]
impl Download for GoogleDownload {
    fn total_length(&self) -> Option<u64> {
        self.total()
    }

    fn content_type(&self) -> Option<&str> {
        self.first.as_ref()?.content_type.as_deref()
    }

    async fn next(&mut self) -> Result<Option<Bytes>, PhotoError> {
        loop {
            if self.ended {
                return Ok(None);
            }
            if self.response.is_none() {
                self.connect().await?;
            }
            let outcome = match self.piece().await {
                Ok(Some(piece)) => self.take(piece).map(Some),
                Ok(None) => self.end().map(|()| None),
                Err(broken) => Err(Failure::Passing(broken)),
            };
            match &outcome {
                Ok(Some(_)) => {}
                Ok(None) => self.observe(None),
                Err(failure) => self.observe(Some(failure)),
            }
            match outcome {
                Ok(Some(piece)) if piece.is_empty() => {}
                Ok(Some(piece)) => return Ok(Some(piece)),
                Ok(None) => self.response = None,
                Err(failure) => {
                    self.response = None;
                    self.settle(failure).await?;
                }
            }
        }
    }

    fn go_on_from(&mut self, url: BaseUrl) {
        self.url = with_suffix(&url, self.kind);
        self.response = None;
        self.asked_at = None;
        self.call = Span::none();
    }
}
