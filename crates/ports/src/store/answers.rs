//! Answers to calls that carry an idempotency key, so that a call that is repeated has one effect.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tintype_model::{BlobHash, TenantId};

use super::StoreResult;

/// A call that carries a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedCall {
    /// Whose call; `None` for one that is about no tenant. The same key of two tenants is two keys.
    pub tenant: Option<TenantId>,
    /// The key.
    pub key: String,
    /// Hash of what was asked: a key stands for one question.
    pub fingerprint: BlobHash,
}

/// An answer as it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptAnswer {
    /// HTTP status.
    pub status: u16,
    /// Headers that belong to the answer, by name.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// What there is of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallClaim {
    /// Nothing: the caller is to do it, and to say the epoch when it is done.
    Yours {
        /// Grows each time that the call is given to somebody.
        epoch: i64,
    },
    /// Somebody is doing it.
    UnderWay,
    /// The key was used for another question.
    Other,
    /// It was done.
    Done(KeptAnswer),
}

/// Keeps answers for a while.
#[async_trait]
pub trait Answers: Send + Sync {
    /// Claims the call, unless it was done or is under way. A claim without an answer is free again after `patience`; everything
    /// is forgotten after `keep`. Times are the database's.
    /// [`StoreError::NotFound`](super::StoreError::NotFound) when there is no such tenant.
    async fn claim_call(
        &self,
        call: &KeyedCall,
        patience: Duration,
        keep: Duration,
    ) -> StoreResult<CallClaim>;
    /// Keeps the answer; `false` when the claim had passed to somebody else, whose answer counts.
    async fn keep_answer(
        &self,
        call: &KeyedCall,
        epoch: i64,
        answer: &KeptAnswer,
    ) -> StoreResult<bool>;
    /// Gives the claim up, because nothing was done: the call may be made again at once.
    async fn drop_call(&self, call: &KeyedCall, epoch: i64) -> StoreResult<()>;
    /// Removes what is to be forgotten of the tenant, or of what is about no tenant. Returns how many.
    async fn forget_answers(&self, tenant: Option<TenantId>) -> StoreResult<u64>;
}
