//! Answers to calls that carry an idempotency key.

use std::time::Duration;

use async_trait::async_trait;
use tintype_model::TenantId;
use tintype_ports::store::{Answers, CallClaim, KeptAnswer, KeyedCall, StoreResult};
use uuid::Uuid;

use super::Store;
use crate::codec::{after, from_json, json};

/// What is about no tenant has an owner too, whose id is never a tenant's.
fn owner(tenant: Option<TenantId>) -> TenantId {
    tenant.unwrap_or(TenantId::from_uuid(Uuid::nil()))
}

#[async_trait]
impl Answers for Store {
    async fn claim_call(
        &self,
        call: &KeyedCall,
        patience: Duration,
        keep: Duration,
    ) -> StoreResult<CallClaim> {
        self.within(async {
            let owner = owner(call.tenant);
            let mut tx = self.write(owner).await?;
            let now = tx.now().await?;
            let claimed: Option<i64> = sqlx::query_scalar(
                "INSERT INTO kept_answers AS k (tenant_id, key, fingerprint, epoch, busy_until, expires_at)
                 VALUES ($1, $2, $3, 1, $4, $5)
                 ON CONFLICT (tenant_id, key) DO UPDATE SET
                     fingerprint = $3, epoch = k.epoch + 1, busy_until = $4, expires_at = $5, answer = NULL
                 WHERE k.expires_at <= $6 OR (k.answer IS NULL AND k.busy_until <= $6 AND k.fingerprint = $3)
                 RETURNING epoch",
            )
            .bind(owner.as_uuid())
            .bind(&call.key)
            .bind(call.fingerprint.as_bytes().as_slice())
            .bind(after(now, patience))
            .bind(after(now, keep))
            .bind(now)
            .fetch_optional(tx.conn())
            .await?;
            if let Some(epoch) = claimed {
                tx.commit().await?;
                return Ok(CallClaim::Yours { epoch });
            }
            let found: Option<(Vec<u8>, Option<String>)> = sqlx::query_as(
                "SELECT fingerprint, answer FROM kept_answers WHERE tenant_id = $1 AND key = $2",
            )
            .bind(owner.as_uuid())
            .bind(&call.key)
            .fetch_optional(tx.conn())
            .await?;
            Ok(match found {
                Some((fingerprint, _)) if fingerprint != call.fingerprint.as_bytes() => {
                    CallClaim::Other
                }
                Some((_, Some(answer))) => CallClaim::Done(from_json(&answer)?),
                // Given up at this moment, or under way.
                Some((_, None)) | None => CallClaim::UnderWay,
            })
        })
        .await
    }

    async fn keep_answer(
        &self,
        call: &KeyedCall,
        epoch: i64,
        answer: &KeptAnswer,
    ) -> StoreResult<bool> {
        self.within(async {
            let owner = owner(call.tenant);
            let mut tx = self.write(owner).await?;
            let done = sqlx::query(
                "UPDATE kept_answers SET answer = $4
                 WHERE tenant_id = $1 AND key = $2 AND epoch = $3 AND answer IS NULL",
            )
            .bind(owner.as_uuid())
            .bind(&call.key)
            .bind(epoch)
            .bind(json(answer)?)
            .execute(tx.conn())
            .await?;
            tx.commit().await?;
            Ok(done.rows_affected() == 1)
        })
        .await
    }

    async fn drop_call(&self, call: &KeyedCall, epoch: i64) -> StoreResult<()> {
        self.within(async {
            let owner = owner(call.tenant);
            let mut tx = self.write(owner).await?;
            sqlx::query(
                "DELETE FROM kept_answers
                 WHERE tenant_id = $1 AND key = $2 AND epoch = $3 AND answer IS NULL",
            )
            .bind(owner.as_uuid())
            .bind(&call.key)
            .bind(epoch)
            .execute(tx.conn())
            .await?;
            tx.commit().await
        })
        .await
    }

    async fn forget_answers(&self, tenant: Option<TenantId>) -> StoreResult<u64> {
        self.within(async {
            let owner = owner(tenant);
            let mut tx = self.write(owner).await?;
            let now = tx.now().await?;
            let done =
                sqlx::query("DELETE FROM kept_answers WHERE tenant_id = $1 AND expires_at <= $2")
                    .bind(owner.as_uuid())
                    .bind(now)
                    .execute(tx.conn())
                    .await?;
            tx.commit().await?;
            Ok(done.rows_affected())
        })
        .await
    }
}
