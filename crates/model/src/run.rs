//! A run: one execution of a plan, and the total state machine that every change of its state goes through.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{ErrorKind, PlanId, RunId, SnapshotId, TenantId, trace::TraceParent};

/// How much of the library a run lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunMode {
    /// Everything: notices what is gone, and additions with old dates.
    Full,
    /// Newest first, until a page shows nothing new. Trusts the last full run for the rest.
    Routine,
    /// What a person picks in Google's Picker. Adds to what is there, and says nothing of the rest.
    Picks,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Not begun.
    Queued,
    /// At work.
    Running,
    /// Asked to pause; workers hand their leases back.
    Pausing,
    /// Rests until a person resumes it.
    Paused,
    /// Rests until the quota day turns.
    WaitingQuota,
    /// Rests until the person signs in again.
    WaitingAuth,
    /// Rests until a person mends what the reason names.
    WaitingUser,
    /// Every item is stored.
    Succeeded,
    /// Ended, but some items failed; they are named.
    Partial,
    /// Ended without a snapshot.
    Failed,
    /// Stopped by a person. What it had stored stays.
    Cancelled,
}

impl RunState {
    /// Every state, for tables and tests.
    pub const ALL: [Self; 11] = [
        Self::Queued,
        Self::Running,
        Self::Pausing,
        Self::Paused,
        Self::WaitingQuota,
        Self::WaitingAuth,
        Self::WaitingUser,
        Self::Succeeded,
        Self::Partial,
        Self::Failed,
        Self::Cancelled,
    ];

    /// True when nothing can change any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::Partial | Self::Failed | Self::Cancelled
        )
    }

    /// True while workers may take and keep leases.
    #[must_use]
    pub const fn is_runnable(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }

    /// The name in databases, JSON and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Pausing => "pausing",
            Self::Paused => "paused",
            Self::WaitingQuota => "waiting_quota",
            Self::WaitingAuth => "waiting_auth",
            Self::WaitingUser => "waiting_user",
            Self::Succeeded => "succeeded",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Why a run is where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunReason {
    /// The class.
    pub kind: ErrorKind,
    /// What happened and what to do, for a person.
    pub message: String,
}

/// State with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStatus {
    /// Where the run stands.
    pub state: RunState,
    /// Why, where there is something to say.
    pub reason: Option<RunReason>,
    /// When it goes on by itself, where it does.
    pub resumes_at: Option<DateTime<Utc>>,
}

/// What can happen to a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunEvent {
    /// A worker took its first lease.
    Started,
    /// A person asked for a pause.
    PauseAsked,
    /// No lease is left.
    Drained,
    /// A person, or the passing of `resumes_at`, lets it go on.
    Resumed,
    /// A person stopped it.
    CancelAsked,
    /// The quota day is used up.
    QuotaExhausted {
        /// When the next day begins.
        resumes_at: DateTime<Utc>,
    },
    /// Google refuses the credential.
    AuthLost(RunReason),
    /// Something only a person can mend.
    UserNeeded {
        /// What to mend.
        reason: RunReason,
        /// When to look by ourselves whether it was mended.
        retry_at: Option<DateTime<Utc>>,
    },
    /// The manifest is written.
    Finished {
        /// Items that could not be stored.
        failed_items: u64,
    },
    /// It cannot end well.
    Broke(RunReason),
}

/// The event does not apply to the state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a run that is {} cannot be {wanted}", .state.as_str())]
pub struct Refused {
    /// Where the run stands.
    pub state: RunState,
    /// What was asked, as a participle.
    pub wanted: &'static str,
}

impl RunStatus {
    /// A status without reason or time.
    #[must_use]
    pub const fn plain(state: RunState) -> Self {
        Self {
            state,
            reason: None,
            resumes_at: None,
        }
    }

    /// The status after `event`.
    ///
    /// # Errors
    /// [`Refused`] when the event does not apply; the run stays as it is.
    pub fn after(&self, event: RunEvent) -> Result<Self, Refused> {
        use RunEvent as E;
        use RunState as S;
        let refused = |wanted| {
            Err(Refused {
                state: self.state,
                wanted,
            })
        };
        match (self.state, event) {
            (S::Succeeded | S::Partial | S::Failed | S::Cancelled, event) => {
                refused(event.wanted())
            }
            (S::Queued | S::Running, E::Started) => Ok(Self::plain(S::Running)),
            (_, E::Started) => refused("started"),
            (S::Queued, E::PauseAsked) => Ok(Self::plain(S::Paused)),
            (S::Running, E::PauseAsked) => Ok(Self::plain(S::Pausing)),
            (S::WaitingQuota | S::WaitingAuth | S::WaitingUser, E::PauseAsked) => {
                Ok(Self::plain(S::Paused))
            }
            (S::Pausing | S::Paused, E::PauseAsked) => Ok(self.clone()),
            (S::Pausing, E::Drained) => Ok(Self::plain(S::Paused)),
            (_, E::Drained) => refused("drained"),
            (
                S::Pausing | S::Paused | S::WaitingQuota | S::WaitingAuth | S::WaitingUser,
                E::Resumed,
            ) => Ok(Self::plain(S::Running)),
            (S::Queued | S::Running, E::Resumed) => Ok(self.clone()),
            (_, E::CancelAsked) => Ok(Self::plain(S::Cancelled)),
            (S::Queued | S::Running | S::WaitingQuota, E::QuotaExhausted { resumes_at }) => {
                Ok(Self {
                    state: S::WaitingQuota,
                    reason: Some(RunReason {
                        kind: ErrorKind::QuotaExhausted,
                        message: format!(
                            "today's quota of the cloud project is used up; goes on by itself at {}",
                            resumes_at.format("%Y-%m-%d %H:%M UTC")
                        ),
                    }),
                    resumes_at: Some(resumes_at),
                })
            }
            (S::Queued | S::Running | S::WaitingQuota | S::WaitingAuth, E::AuthLost(reason)) => {
                Ok(Self {
                    state: S::WaitingAuth,
                    reason: Some(reason),
                    resumes_at: None,
                })
            }
            (
                S::Queued | S::Running | S::WaitingQuota | S::WaitingUser,
                E::UserNeeded { reason, retry_at },
            ) => Ok(Self {
                state: S::WaitingUser,
                reason: Some(reason),
                resumes_at: retry_at,
            }),
            // A pause or another wait that came first stays: whoever resumes it meets the trouble again.
            (_, E::QuotaExhausted { .. } | E::AuthLost(_) | E::UserNeeded { .. }) => {
                Ok(self.clone())
            }
            (S::Queued | S::Running, E::Finished { failed_items: 0 }) => {
                Ok(Self::plain(S::Succeeded))
            }
            (S::Queued | S::Running, E::Finished { failed_items }) => Ok(Self {
                state: S::Partial,
                reason: Some(RunReason {
                    kind: ErrorKind::Corrupt,
                    message: format!(
                        "{failed_items} items could not be stored; the next run tries them again"
                    ),
                }),
                resumes_at: None,
            }),
            (_, E::Finished { .. }) => refused("finished"),
            (_, E::Broke(reason)) => Ok(Self {
                state: S::Failed,
                reason: Some(reason),
                resumes_at: None,
            }),
        }
    }
}

impl RunEvent {
    const fn wanted(&self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::PauseAsked => "paused",
            Self::Drained => "drained",
            Self::Resumed => "resumed",
            Self::CancelAsked => "cancelled",
            Self::QuotaExhausted { .. } | Self::AuthLost(_) | Self::UserNeeded { .. } => "parked",
            Self::Finished { .. } => "finished",
            Self::Broke(_) => "failed",
        }
    }
}

/// One execution of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// Whose it is.
    pub tenant: TenantId,
    /// What it executes.
    pub plan: PlanId,
    /// Full or routine.
    pub mode: RunMode,
    /// Where it stands.
    pub status: RunStatus,
    /// The snapshot it established, or the one it found still true.
    pub snapshot: Option<SnapshotId>,
    /// The span that asked for it, where that is traced: all its work goes on from there.
    pub trace: Option<TraceParent>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reason() -> RunReason {
        RunReason {
            kind: ErrorKind::AuthLost,
            message: "sign in again".into(),
        }
    }

    fn events() -> Vec<RunEvent> {
        vec![
            RunEvent::Started,
            RunEvent::PauseAsked,
            RunEvent::Drained,
            RunEvent::Resumed,
            RunEvent::CancelAsked,
            RunEvent::QuotaExhausted {
                resumes_at: DateTime::UNIX_EPOCH,
            },
            RunEvent::AuthLost(reason()),
            RunEvent::UserNeeded {
                reason: reason(),
                retry_at: None,
            },
            RunEvent::Finished { failed_items: 0 },
            RunEvent::Finished { failed_items: 2 },
            RunEvent::Broke(reason()),
        ]
    }

    #[test]
    fn nothing_leaves_a_final_state() {
        for state in RunState::ALL.into_iter().filter(|state| state.is_final()) {
            for event in events() {
                let refusal = RunStatus::plain(state).after(event).expect_err("final");
                assert_eq!(refusal.state, state);
            }
        }
    }

    #[test]
    fn every_state_that_is_not_final_can_be_cancelled() {
        for state in RunState::ALL.into_iter().filter(|state| !state.is_final()) {
            let after = RunStatus::plain(state)
                .after(RunEvent::CancelAsked)
                .expect("allowed");
            assert_eq!(after, RunStatus::plain(RunState::Cancelled));
        }
    }

    #[test]
    fn a_pause_is_not_undone_by_trouble() {
        let pausing = RunStatus::plain(RunState::Pausing);
        let after = pausing.after(RunEvent::AuthLost(reason()));
        assert_eq!(after, Ok(pausing));
    }

    proptest! {
        #[test]
        fn only_waiting_for_quota_or_a_person_has_a_time_to_resume(steps in proptest::collection::vec(0_usize..11, 0..40)) {
            let all = events();
            let mut status = RunStatus::plain(RunState::Queued);
            for step in steps {
                if let Ok(next) = status.after(all[step].clone()) {
                    status = next;
                }
                let waits = matches!(status.state, RunState::WaitingQuota | RunState::WaitingUser);
                prop_assert!(status.resumes_at.is_none() || waits);
            }
        }
    }
}
