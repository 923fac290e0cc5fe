//! Deciding what is worked on next: fair dispatch, outbox relay, reconciler.

mod dispatch;
mod reconcile;
mod scheduler;
