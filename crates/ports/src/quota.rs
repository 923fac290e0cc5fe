//! Google's quota as the use cases see it: ask before each call, and never be told yes too often.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tintype_model::{
    ErrorKind,
    quota::{CloudProject, QuotaKind},
};

use crate::StoreError;

/// Why a call may not be made.
#[derive(Debug, thiserror::Error)]
pub enum QuotaError {
    /// The day's units are spent, or leased to somebody else.
    #[error("the quota of cloud project {project} is used up until {resumes_at}")]
    Exhausted {
        /// Whose quota.
        project: CloudProject,
        /// When calls are admitted again: shortly after the next midnight, see
        /// [`tintype_model::quota::QuotaDay::resumes_at`].
        resumes_at: DateTime<Utc>,
    },
    /// The ledger cannot be asked. Nothing may be spent meanwhile.
    #[error("the quota ledger cannot be reached")]
    Ledger(#[source] StoreError),
}

impl QuotaError {
    /// The class of the failure.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Exhausted { .. } => ErrorKind::QuotaExhausted,
            Self::Ledger(_) => ErrorKind::Unavailable,
        }
    }
}

/// What is known of a project's quota today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaStanding {
    /// Units a day.
    pub limit: u64,
    /// Units spent, or leased and not given back.
    pub leased: u64,
    /// When the day ends.
    pub resets_at: DateTime<Utc>,
}

/// A fast counter in front of the durable ledger ([`crate::store::QuotaLedger`]). The sum of what all counters of a
/// project hand out in a quota day never exceeds its limit, whatever crashes.
#[async_trait]
pub trait Quota: Send + Sync {
    /// Spends `units` (at least 1) of today's quota. All or nothing. In the moments around midnight nothing is admitted,
    /// because Google may count a call on another day than we do; that is [`QuotaError::Exhausted`] too.
    ///
    /// # Errors
    /// [`QuotaError::Exhausted`] when fewer are left, [`QuotaError::Ledger`] when the ledger cannot be asked.
    async fn spend(
        &self,
        project: &CloudProject,
        kind: QuotaKind,
        units: u32,
    ) -> Result<(), QuotaError>;

    /// Google says the day is over although our count is not: spend nothing more today. Answers when calls are admitted
    /// again. Said right after midnight, before anything was spent, it is about the day before.
    async fn mark_exhausted(
        &self,
        project: &CloudProject,
        kind: QuotaKind,
    ) -> Result<DateTime<Utc>, QuotaError>;

    /// How the project stands today.
    async fn standing(
        &self,
        project: &CloudProject,
        kind: QuotaKind,
    ) -> Result<QuotaStanding, QuotaError>;

    /// Gives leased but unspent units back to the ledger, for a clean stop.
    async fn give_back(&self) -> Result<(), QuotaError>;
}
