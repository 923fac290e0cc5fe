//! What one file cannot show: the metrics of the whole workspace, and spans on their way to a collector.

mod alerts;
mod catalogue;
mod collector_away;
mod sources;
mod traces;
