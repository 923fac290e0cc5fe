//! Every metric of ours, in one table. `deploy/observability/METRICS.md` is made from it, alert rules may name nothing
//! else, and a test compares it with the sources.

use metrics::Unit as RecorderUnit;

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, from the start of the process.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How values are distributed over fixed buckets.
    Histogram,
}

impl Kind {
    /// In small letters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// What a metric's number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Bytes.
    Bytes,
    /// Seconds, with fractions.
    Seconds,
    /// Seconds since 1970.
    UnixSeconds,
    /// 0 or 1.
    Truth,
}

impl Unit {
    /// For people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Count => "number",
            Self::Bytes => "bytes",
            Self::Seconds => "seconds",
            Self::UnixSeconds => "seconds since 1970",
            Self::Truth => "0 or 1",
        }
    }

    pub(super) const fn of_recorder(self) -> RecorderUnit {
        match self {
            Self::Count | Self::Truth => RecorderUnit::Count,
            Self::Bytes => RecorderUnit::Bytes,
            Self::Seconds | Self::UnixSeconds => RecorderUnit::Seconds,
        }
    }
}

/// Who tells a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The gateway.
    Gateway,
    /// Workers.
    Worker,
    /// The scheduler that leads; the others keep what they last saw.
    Scheduler,
    /// Whoever uses the job queue.
    Queue,
    /// Whoever spends Google's quota.
    Quota,
    /// Whoever publishes events.
    Events,
    /// The vault.
    Vault,
    /// Every process.
    Process,
}

impl Source {
    /// All of them, in the order of the page.
    pub const ALL: [Self; 8] = [
        Self::Gateway,
        Self::Scheduler,
        Self::Worker,
        Self::Queue,
        Self::Quota,
        Self::Events,
        Self::Vault,
        Self::Process,
    ];
}

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name; a counter's ends with `_total`.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// What its number counts.
    pub unit: Unit,
    /// The names of its labels. None ever holds a tenant, an item or anything else that there may be many of.
    pub labels: &'static [&'static str],
    /// Who tells it.
    pub source: Source,
    /// What it tells.
    pub tells: &'static str,
}

type Labels = &'static [&'static str];

const fn counter(
    source: Source,
    name: &'static str,
    labels: Labels,
    tells: &'static str,
) -> Metric {
    metric(source, Kind::Counter, Unit::Count, name, labels, tells)
}

const fn bytes(source: Source, name: &'static str, labels: Labels, tells: &'static str) -> Metric {
    metric(source, Kind::Counter, Unit::Bytes, name, labels, tells)
}

const fn gauge(
    source: Source,
    unit: Unit,
    name: &'static str,
    labels: Labels,
    tells: &'static str,
) -> Metric {
    metric(source, Kind::Gauge, unit, name, labels, tells)
}

const fn duration(
    source: Source,
    name: &'static str,
    labels: Labels,
    tells: &'static str,
) -> Metric {
    metric(source, Kind::Histogram, Unit::Seconds, name, labels, tells)
}

const fn metric(
    source: Source,
    kind: Kind,
    unit: Unit,
    name: &'static str,
    labels: Labels,
    tells: &'static str,
) -> Metric {
    Metric {
        name,
        kind,
        unit,
        labels,
        source,
        tells,
    }
}

use Source::{Events, Gateway, Process, Queue, Quota, Scheduler, Vault, Worker};
use Unit::{Bytes, Count, Seconds, Truth, UnixSeconds};

/// Every metric of ours.
#[rustfmt::skip]
pub const METRICS: &[Metric] = &[
    counter(Gateway, "tintype_http_requests_total", &["method", "route", "status"], "Requests that were answered, by the route's pattern and the class of the status."),
    duration(Gateway, "tintype_http_request_seconds", &["route"], "How long it took until the answer began."),
    gauge(Gateway, Count, "tintype_http_streams_open", &[], "Streams of events that are open."),
    gauge(Scheduler, Truth, "tintype_is_leader", &[], "Whether this scheduler leads."),
    gauge(Scheduler, Count, "tintype_backlog_items", &[], "Items of shards that wait to be dispatched."),
    gauge(Scheduler, Seconds, "tintype_backlog_oldest_seconds", &[], "How long the shard that waits longest has been ready."),
    gauge(Scheduler, Count, "tintype_shards_in_flight", &[], "Shards dispatched or leased, of all tenants."),
    gauge(Scheduler, Seconds, "tintype_dispatched_oldest_seconds", &[], "How long the shard that was dispatched first has been in the queue without a worker."),
    gauge(Scheduler, Seconds, "tintype_lease_oldest_seconds", &[], "How long the oldest live lease has been held."),
    gauge(Scheduler, Count, "tintype_workers", &[], "Workers that are there."),
    gauge(Scheduler, Count, "tintype_worker_slots", &[], "Shards that all workers can work on at the same time."),
    gauge(Scheduler, Count, "tintype_runs", &["state"], "Runs that are not over, by state."),
    gauge(Scheduler, Count, "tintype_accounts", &["health"], "Google Photos accounts by the health of their credentials, when all were looked at last."),
    counter(Scheduler, "tintype_kept_alive_total", &["outcome"], "Refresh tokens that were used only so that they live on, and how that went."),
    counter(Scheduler, "tintype_dispatched_total", &[], "Shards that were dispatched."),
    counter(Scheduler, "tintype_shards_recalled_total", &[], "Shards that were asked back from a tenant that had been lent idle slots, for others who came."),
    counter(Scheduler, "tintype_shards_lost_total", &[], "Shards without a live lease that went back into the backlog."),
    counter(Scheduler, "tintype_shards_set_aside_total", &[], "Shards that failed or lost their worker too often in a row; a person has to look. Workers tell it too."),
    counter(Worker, "tintype_items_stored_total", &[], "Items whose bytes are durable and recorded."),
    counter(Worker, "tintype_items_replaced_total", &[], "Stored items whose original by a download proxy took the place of what Google made of it. They are not counted as stored again, their bytes are."),
    bytes(Worker, "tintype_bytes_stored_total", &[], "Bytes of items that are durable and recorded."),
    counter(Worker, "tintype_items_uploaded_total", &[], "Items that are in a Google Photos account and recorded."),
    bytes(Worker, "tintype_bytes_uploaded_total", &[], "Bytes of items that are in a Google Photos account and recorded."),
    counter(Worker, "tintype_upload_twins_total", &[], "Items that Google made twice although it was asked with the same token."),
    counter(Worker, "tintype_proxy_downloads_total", &["outcome"], "Items of accounts with a download proxy: `original` came by it, `failed` and `not_the_item` come from Google or stay as they are, `skipped` did not ask because it rested or was busy."),
    counter(Worker, "tintype_errors_total", &["kind", "where"], "What went wrong, by kind of error, and whether a shard stopped or an item failed."),
    counter(Queue, "tintype_queue_published_total", &[], "Messages that the broker confirmed."),
    duration(Queue, "tintype_queue_publish_seconds", &[], "How long the broker took to confirm a batch of messages."),
    counter(Queue, "tintype_queue_delivered_total", &[], "Messages taken from the broker."),
    counter(Queue, "tintype_queue_dead_letters_total", &["reason"], "Messages put aside for a person to look at."),
    gauge(Queue, Truth, "tintype_queue_connected", &["purpose"], "Whether this process is connected to the broker."),
    counter(Quota, "tintype_quota_spent_total", &["project", "kind"], "Units of Google's quota that were spent."),
    gauge(Quota, Count, "tintype_quota_left", &["project", "kind"], "Units of the day that no process has leased yet, when this one last asked."),
    gauge(Quota, Count, "tintype_quota_limit", &["project", "kind"], "Units of a day, by the settings."),
    counter(Quota, "tintype_quota_round_trips_total", &[], "Questions about quota to Redis."),
    counter(Quota, "tintype_quota_rebuilds_total", &[], "Pools that were lost or could not be trusted and were begun anew from the ledger."),
    counter(Events, "tintype_events_published_total", &["outcome"], "Events handed to Redis, and how that went."),
    gauge(Vault, Truth, "tintype_vault_sealed", &[], "Whether the vault is sealed: its key-encryption key is not to be had."),
    counter(Vault, "tintype_vault_requests_total", &["method", "code"], "Calls that were answered, by gRPC code."),
    duration(Vault, "tintype_vault_request_seconds", &["method"], "How long a call took."),
    counter(Vault, "tintype_vault_refused_connections_total", &[], "Connections without a certificate that the vault knows."),
    counter(Vault, "tintype_vault_refreshes_total", &["outcome"], "Access tokens asked of Google, and how that went."),
    gauge(Vault, Count, "tintype_vault_rewrap_waiting", &[], "Tenant keys still under an older key-encryption key."),
    gauge(Vault, Count, "tintype_vault_rewrap_failed", &[], "Tenant keys that could not be wrapped anew."),
    gauge(Vault, UnixSeconds, "tintype_vault_certificate_ends_at_seconds", &[], "When the vault's certificate ends."),
    counter(Process, "tintype_spans_exported_total", &[], "Spans that the collector took."),
    counter(Process, "tintype_spans_dropped_total", &["reason"], "Spans that were dropped, because the buffer was full or the collector did not take them."),
    gauge(Process, Bytes, "process_resident_memory_bytes", &[], "Memory of the process that is in RAM."),
    metric(Process, Kind::Counter, Seconds, "process_cpu_seconds_total", &[], "Processor time that the process used, in user and kernel mode."),
    gauge(Process, Count, "process_open_fds", &[], "File descriptors that are open."),
    gauge(Process, UnixSeconds, "process_start_time_seconds", &[], "When the process began."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_once_and_say_what_they_are() {
        let mut names: Vec<&str> = METRICS.iter().map(|it| it.name).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
        for metric in METRICS {
            let name = metric.name;
            let is_counter = metric.kind == Kind::Counter;
            assert_eq!(name.ends_with("_total"), is_counter, "{name}");
            let is_histogram = metric.kind == Kind::Histogram;
            assert!(!is_histogram || name.ends_with("_seconds"), "{name}");
            assert!(metric.tells.ends_with('.'), "{name}");
        }
    }
}
