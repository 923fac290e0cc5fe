//! What one file cannot show: the metrics of the whole workspace, and spans on their way to a collector.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests may panic as the tests themselves do"
)]

mod alerts;
mod catalogue;
mod collector_away;
mod sources;
mod traces;
