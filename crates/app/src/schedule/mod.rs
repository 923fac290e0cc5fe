//! Deciding what is worked on next: who leads, due plans, fair dispatch, outbox relay, reconciler; and the accounts' health.

mod dispatch;
mod due;
mod gauges;
mod health;
mod lead;
mod picks;
mod reconcile;
mod scheduler;
mod take_back;

pub(crate) use lead::NAME as LEADER;
pub(crate) use picks::LOOKS;
