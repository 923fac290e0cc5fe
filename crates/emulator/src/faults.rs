//! Faults: rules that make chosen calls fail, each limited to a kind, an item, a fraction or a number of times.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use crate::kind::CallKind;
use crate::mix;
use crate::sync::lock;

/// What a fault does to a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Effect {
    /// Answers this status in the manner of the endpoint (JSON, plain text or HTML) and does nothing else.
    Status {
        /// HTTP status.
        code: u16,
        /// The message; Google's usual one when absent.
        message: Option<String>,
        /// `Retry-After` in seconds.
        retry_after: Option<u64>,
    },
    /// Answers 429 as when the daily quota is used up.
    QuotaDay,
    /// Answers 429 as when the quota of a minute is used up.
    QuotaMinute,
    /// Answers 429 as when another write of the user is running.
    WriteLock,
    /// Closes the connection without doing anything.
    DropBefore,
    /// Does what was asked, then closes the connection without an answer.
    DropAfter,
    /// Reads this many bytes of an upload's body, then closes the connection; whole granules are kept.
    DropUpload {
        /// Bytes read.
        after: u64,
    },
    /// Sends the right Content-Length, but closes the connection after this fraction of the body.
    Truncate {
        /// 0.0 to 1.0.
        at: f64,
    },
    /// Sends only this fraction of the body, with a Content-Length that matches it.
    Short {
        /// 0.0 to 1.0.
        at: f64,
    },
    /// Flips bits of a byte in the middle of the body; the length stays.
    Corrupt,
    /// Sends a body of no bytes.
    Empty,
    /// Sends an HTML page with status 200.
    Html,
    /// Sends this many bytes too many, with a Content-Length that matches.
    Oversized {
        /// Extra bytes.
        extra: u64,
    },
    /// Answers 200 with JSON that breaks off.
    MalformedJson,
    /// Answers nothing and keeps the connection, until the client goes away.
    Hang,
    /// Sends the right head and this fraction of the body, then nothing more, and keeps the connection.
    Stall {
        /// 0.0 to 1.0.
        at: f64,
    },
    /// Answers 302 to this address.
    Redirect {
        /// An absolute URL.
        to: String,
    },
    /// Serves another item's original in the place of the one that was asked for. Only for the download proxy.
    OtherItem {
        /// The other item's id.
        id: String,
    },
    /// Waits before answering.
    Delay {
        /// Milliseconds.
        ms: u64,
    },
    /// One item of a `batchCreate` fails with this status code; the others go through.
    BatchItem {
        /// 3, 6, 8 or 13.
        code: u32,
    },
    /// One item of a `batchCreate` makes the whole call fail, and nothing is created.
    BatchPoison {
        /// HTTP status.
        code: u16,
    },
}

/// A rule. Absent limits do not limit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fault {
    /// What happens.
    #[serde(flatten)]
    pub effect: Effect,
    /// Only calls of this kind.
    #[serde(default)]
    pub kind: Option<CallKind>,
    /// Only calls about this media item id.
    #[serde(default)]
    pub item: Option<String>,
    /// Only calls about a media item that a client of this cloud project (its number) sees.
    #[serde(default)]
    pub project: Option<String>,
    /// For `batch_item` and `batch_poison`: only files whose name contains this.
    #[serde(default)]
    pub file_name: Option<String>,
    /// Only this fraction of items (or of calls, where a call has no item), chosen by the seed.
    #[serde(default)]
    pub fraction: Option<f64>,
    /// Only this fraction of calls, whatever they are about, chosen by the seed.
    #[serde(default)]
    pub fraction_of_calls: Option<f64>,
    /// Lets this many matching calls pass first.
    #[serde(default)]
    pub skip: u64,
    /// Ends after so many hits.
    #[serde(default)]
    pub times: Option<u64>,
    /// Hits each item at most so often.
    #[serde(default)]
    pub times_per_item: Option<u64>,
}

impl Fault {
    /// A fault that hits every call of a kind until it is cleared.
    #[must_use]
    pub fn on(kind: CallKind, effect: Effect) -> Self {
        Self {
            effect,
            kind: Some(kind),
            item: None,
            project: None,
            file_name: None,
            fraction: None,
            fraction_of_calls: None,
            skip: 0,
            times: None,
            times_per_item: None,
        }
    }

    /// Ends after so many hits.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Limits it to one media item id.
    #[must_use]
    pub fn item(mut self, id: impl Into<String>) -> Self {
        self.item = Some(id.into());
        self
    }

    /// Limits it to a fraction of items, chosen by the seed.
    #[must_use]
    pub fn fraction(mut self, fraction: f64) -> Self {
        self.fraction = Some(fraction);
        self
    }

    /// Hits each item at most so often.
    #[must_use]
    pub fn times_per_item(mut self, times: u64) -> Self {
        self.times_per_item = Some(times);
        self
    }

    /// Limits a batch fault to files whose name contains the text.
    #[must_use]
    pub fn file_name(mut self, part: impl Into<String>) -> Self {
        self.file_name = Some(part.into());
        self
    }

    /// Lets this many matching calls pass first.
    #[must_use]
    pub fn skip(mut self, calls: u64) -> Self {
        self.skip = calls;
        self
    }

    fn is_about_batches(&self) -> bool {
        matches!(
            self.effect,
            Effect::BatchItem { .. } | Effect::BatchPoison { .. }
        )
    }
}

/// A rule with how often it has matched and hit, as `GET /__emulator/faults` lists it.
#[derive(Debug, Clone, Serialize)]
pub struct FaultState {
    /// The rule's number, for deleting it.
    pub id: u64,
    /// The rule.
    #[serde(flatten)]
    pub fault: Fault,
    /// How many calls it hit.
    pub hits: u64,
    #[serde(skip)]
    matched: u64,
    #[serde(skip)]
    per_item: HashMap<u64, u64>,
}

/// All rules. Asking costs one atomic load while there are none.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    any: AtomicBool,
    rules: Mutex<(u64, Vec<FaultState>)>,
    seed: u64,
}

/// What a rule is matched against.
pub(crate) struct Subject<'a> {
    pub(crate) kind: CallKind,
    /// The item's id and key, where the call is about one.
    pub(crate) item: Option<(&'a str, u64)>,
    /// The cloud project whose client sees the item.
    pub(crate) project: Option<&'a str>,
    /// The file name of a new item in a batch.
    pub(crate) file_name: Option<&'a str>,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            ..Self::default()
        }
    }

    pub(crate) fn add(&self, fault: Fault) -> u64 {
        let mut rules = lock(&self.rules);
        rules.0 += 1;
        let id = rules.0;
        rules.1.push(FaultState {
            id,
            fault,
            hits: 0,
            matched: 0,
            per_item: HashMap::new(),
        });
        self.any.store(true, Ordering::Release);
        id
    }

    pub(crate) fn clear(&self, id: Option<u64>) {
        let mut rules = lock(&self.rules);
        rules.1.retain(|rule| id.is_some_and(|id| rule.id != id));
        self.any.store(!rules.1.is_empty(), Ordering::Release);
    }

    pub(crate) fn list(&self) -> Vec<FaultState> {
        lock(&self.rules).1.clone()
    }

    /// Whether there are any rules.
    pub(crate) fn are_there(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// The effect of the first rule that hits, which uses up one of its hits.
    pub(crate) fn hit(&self, subject: &Subject<'_>) -> Option<Effect> {
        if !self.are_there() {
            return None;
        }
        let mut rules = lock(&self.rules);
        let seed = self.seed;
        rules
            .1
            .iter_mut()
            .find_map(|rule| rule.try_hit(subject, seed))
    }
}

impl FaultState {
    fn try_hit(&mut self, subject: &Subject<'_>, seed: u64) -> Option<Effect> {
        let fault = &self.fault;
        let in_batch = subject.file_name.is_some();
        if fault.is_about_batches() != in_batch
            || fault.kind.is_some_and(|kind| kind != subject.kind)
            || fault.times.is_some_and(|times| self.hits >= times)
        {
            return None;
        }
        if let Some(id) = &fault.item
            && subject.item.is_none_or(|(found, _)| found != id)
        {
            return None;
        }
        if fault.project.is_some() && fault.project.as_deref() != subject.project {
            return None;
        }
        if let Some(part) = &fault.file_name
            && subject
                .file_name
                .is_none_or(|name| !name.contains(part.as_str()))
        {
            return None;
        }
        let key = match (subject.item, subject.file_name) {
            (Some((_, key)), _) => key,
            (None, Some(name)) => name
                .bytes()
                .fold(seed, |sum, byte| mix::mix2(sum, byte.into())),
            (None, None) => self.matched,
        };
        self.matched += 1;
        if fault
            .fraction
            .is_some_and(|fraction| !mix::in_fraction(seed ^ self.id, key, fraction))
            || fault
                .fraction_of_calls
                .is_some_and(|fraction| !mix::in_fraction(seed ^ self.id, self.matched, fraction))
            || self.matched <= fault.skip
        {
            return None;
        }
        if let Some(limit) = fault.times_per_item {
            let hits = self.per_item.entry(key).or_insert(0);
            if *hits >= limit {
                return None;
            }
            *hits += 1;
        }
        self.hits += 1;
        Some(self.fault.effect.clone())
    }
}
