//! The port for those who use credentials.

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use tintype_model::{StorageId, TenantId};
use tintype_ports::{
    Vault, VaultError,
    vault::{
        AccessToken, AuditEntry, BucketKeys, Grant, Secret, SecretInfo, SignInAnswer, SignInPage,
        SignInRequest, SignedIn,
    },
};
use tintype_proto::vault::v1::{self, vault_client::VaultClient as Rpc};

use crate::{
    VaultClient,
    call::Repeat::{Freely, Unsent},
    convert::{credential, entry, info, sign_in, sign_in_answer, some_info, time},
    errors::nonsense,
};

/// The vault gives no more entries of a log at a time.
const PAGE: u32 = 1000;

#[async_trait]
impl Vault for VaultClient {
    async fn put(
        &self,
        tenant: TenantId,
        storage: StorageId,
        secret: Secret,
    ) -> Result<SecretInfo, VaultError> {
        let make = || {
            Ok(v1::PutRequest {
                tenant: tenant.to_string(),
                storage: storage.to_string(),
                credential: Some(credential(&secret)),
            })
        };
        let send = |channel, request| async move { Rpc::new(channel).put(request).await };
        some_info(self.inner.caller.call(Unsent, make, send).await?.info)
    }

    async fn describe(
        &self,
        tenant: TenantId,
        storage: StorageId,
    ) -> Result<Option<SecretInfo>, VaultError> {
        let make = || {
            Ok(v1::DescribeRequest {
                tenant: tenant.to_string(),
                storage: storage.to_string(),
            })
        };
        let send = |channel, request| async move { Rpc::new(channel).describe(request).await };
        let found = self.inner.caller.call(Freely, make, send).await?.info;
        found.map(info).transpose()
    }

    async fn access_token(
        &self,
        grant: &Grant,
        rejected: Option<&AccessToken>,
    ) -> Result<AccessToken, VaultError> {
        let make = || {
            Ok(v1::IssueAccessTokenRequest {
                grant: self.signed(grant)?,
                rejected_token: rejected.map(|token| token.secret.expose_secret().to_owned()),
            })
        };
        let send =
            |channel, request| async move { Rpc::new(channel).issue_access_token(request).await };
        let mut answer = self.inner.caller.call(Freely, make, send).await?;
        Ok(AccessToken {
            secret: SecretString::from(std::mem::take(&mut answer.token)),
            expires_at: time(answer.expires_at)?,
            scopes: std::mem::take(&mut answer.scopes),
        })
    }

    async fn keep_alive(&self, grant: &Grant) -> Result<SecretInfo, VaultError> {
        let make = || {
            let grant = self.signed(grant)?;
            Ok(v1::KeepAliveRequest { grant })
        };
        let send = |channel, request| async move { Rpc::new(channel).keep_alive(request).await };
        some_info(self.inner.caller.call(Freely, make, send).await?.info)
    }

    async fn bucket_keys(&self, grant: &Grant) -> Result<BucketKeys, VaultError> {
        let make = || {
            let grant = self.signed(grant)?;
            Ok(v1::RevealBucketKeysRequest { grant })
        };
        let send =
            |channel, request| async move { Rpc::new(channel).reveal_bucket_keys(request).await };
        let mut answer = self.inner.caller.call(Freely, make, send).await?;
        Ok(BucketKeys {
            access_key_id: std::mem::take(&mut answer.access_key_id),
            secret_access_key: SecretString::from(std::mem::take(&mut answer.secret_access_key)),
        })
    }

    async fn sign(&self, grant: &Grant, message: &[u8]) -> Result<[u8; 64], VaultError> {
        let make = || {
            Ok(v1::SignRequest {
                grant: self.signed(grant)?,
                message: message.to_vec(),
            })
        };
        let send = |channel, request| async move { Rpc::new(channel).sign(request).await };
        let answer = self.inner.caller.call(Freely, make, send).await?;
        let signature = answer.signature.try_into();
        signature.map_err(|_| nonsense("signature of 64 bytes"))
    }

    async fn signing_key(&self, grant: &Grant) -> Result<[u8; 32], VaultError> {
        let make = || {
            let grant = self.signed(grant)?;
            Ok(v1::GetSigningKeyRequest { grant })
        };
        let send =
            |channel, request| async move { Rpc::new(channel).get_signing_key(request).await };
        let answer = self.inner.caller.call(Freely, make, send).await?;
        let key = answer.public_key.try_into();
        key.map_err(|_| nonsense("public key of 32 bytes"))
    }

    async fn begin_sign_in(
        &self,
        tenant: TenantId,
        storage: StorageId,
        request: SignInRequest,
    ) -> Result<SignInPage, VaultError> {
        let make = || Ok(sign_in(tenant, storage, &request));
        let send = |channel, request| async move { Rpc::new(channel).begin_sign_in(request).await };
        let mut page = self.inner.caller.call(Unsent, make, send).await?;
        Ok(SignInPage {
            url: std::mem::take(&mut page.url),
            expires_at: time(page.expires_at)?,
        })
    }

    async fn finish_sign_in(
        &self,
        state: &SecretString,
        answer: SignInAnswer,
    ) -> Result<SignedIn, VaultError> {
        let make = || Ok(sign_in_answer(state, &answer));
        let send =
            |channel, request| async move { Rpc::new(channel).finish_sign_in(request).await };
        let signed_in = self.inner.caller.call(Unsent, make, send).await?;
        let tenant = signed_in.tenant.parse();
        let storage = signed_in.storage.parse();
        Ok(SignedIn {
            tenant: tenant.map_err(|_| nonsense("tenant id"))?,
            storage: storage.map_err(|_| nonsense("storage id"))?,
            info: some_info(signed_in.info)?,
        })
    }

    async fn disconnect(&self, tenant: TenantId, storage: StorageId) -> Result<(), VaultError> {
        let make = || {
            Ok(v1::DisconnectRequest {
                tenant: tenant.to_string(),
                storage: storage.to_string(),
            })
        };
        let send = |channel, request| async move { Rpc::new(channel).disconnect(request).await };
        self.inner.caller.call(Unsent, make, send).await?;
        Ok(())
    }

    async fn delete(&self, tenant: TenantId, storage: StorageId) -> Result<(), VaultError> {
        let make = || {
            Ok(v1::DeleteRequest {
                tenant: tenant.to_string(),
                storage: storage.to_string(),
            })
        };
        let send = |channel, request| async move { Rpc::new(channel).delete(request).await };
        self.inner.caller.call(Unsent, make, send).await?;
        Ok(())
    }

    async fn audit_log(
        &self,
        tenant: TenantId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, VaultError> {
        let send =
            |channel, request| async move { Rpc::new(channel).list_access_log(request).await };
        let (mut log, mut after, mut left) = (Vec::new(), after, limit);
        while left > 0 {
            let asked = left.min(PAGE);
            let make = || {
                Ok(v1::ListAccessLogRequest {
                    tenant: tenant.to_string(),
                    after,
                    limit: asked,
                })
            };
            let page = self.inner.caller.call(Freely, make, send).await?.entries;
            let got = u32::try_from(page.len()).unwrap_or(u32::MAX);
            for line in page {
                after = after.max(line.number);
                log.push(entry(line)?);
            }
            if got < asked {
                break;
            }
            left = left.saturating_sub(got);
        }
        Ok(log)
    }
}
