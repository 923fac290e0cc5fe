//! The port for those who keep the vault.

use async_trait::async_trait;
use tintype_model::{StorageId, TenantId};
use tintype_ports::{
    VaultError, VaultKeeper,
    vault::{KeyStanding, Secret, SecretInfo},
};
use tintype_proto::vault::v1::{
    self, keeper_client::KeeperClient as Keep, vault_client::VaultClient as Rpc,
};

use crate::{
    VaultClient,
    call::Repeat::{Freely, Unsent},
    convert::{credential, some_info, standing},
};

#[async_trait]
impl VaultKeeper for VaultClient {
    async fn rotate(
        &self,
        tenant: TenantId,
        storage: StorageId,
        expected_version: Option<i64>,
        secret: Secret,
    ) -> Result<SecretInfo, VaultError> {
        let make = || {
            Ok(v1::RotateRequest {
                tenant: tenant.to_string(),
                storage: storage.to_string(),
                expected_version,
                credential: Some(credential(&secret)),
            })
        };
        let send = |channel, request| async move { Rpc::new(channel).rotate(request).await };
        some_info(self.inner.caller.call(Unsent, make, send).await?.info)
    }

    async fn revoke(
        &self,
        tenant: TenantId,
        storage: StorageId,
        reason: &str,
    ) -> Result<SecretInfo, VaultError> {
        let make = || {
            Ok(v1::RevokeRequest {
                tenant: tenant.to_string(),
                storage: storage.to_string(),
                reason: reason.to_owned(),
            })
        };
        let send = |channel, request| async move { Rpc::new(channel).revoke(request).await };
        some_info(self.inner.caller.call(Unsent, make, send).await?.info)
    }

    async fn key_standing(&self) -> Result<KeyStanding, VaultError> {
        let make = || Ok(v1::GetKeyStandingRequest {});
        let send =
            |channel, request| async move { Keep::new(channel).get_key_standing(request).await };
        standing(self.inner.caller.call(Freely, make, send).await?.standing)
    }

    async fn rewrap(&self, limit: u32) -> Result<KeyStanding, VaultError> {
        let make = || Ok(v1::RewrapRequest { limit });
        let send = |channel, request| async move { Keep::new(channel).rewrap(request).await };
        // What is wrapped already is not wrapped again.
        standing(self.inner.caller.call(Freely, make, send).await?.standing)
    }

    async fn rotate_tenant_key(&self, tenant: TenantId) -> Result<(), VaultError> {
        let make = || {
            let tenant = tenant.to_string();
            Ok(v1::RotateTenantKeyRequest { tenant })
        };
        let send =
            |channel, request| async move { Keep::new(channel).rotate_tenant_key(request).await };
        self.inner.caller.call(Unsent, make, send).await?;
        Ok(())
    }

    async fn destroy_tenant(&self, tenant: TenantId) -> Result<(), VaultError> {
        let make = || {
            let tenant = tenant.to_string();
            Ok(v1::DestroyTenantRequest { tenant })
        };
        let send =
            |channel, request| async move { Keep::new(channel).destroy_tenant(request).await };
        self.inner.caller.call(Unsent, make, send).await?;
        Ok(())
    }

    async fn verify_audit_log(&self, tenant: TenantId) -> Result<i64, VaultError> {
        let make = || {
            let tenant = tenant.to_string();
            Ok(v1::VerifyAccessLogRequest { tenant })
        };
        let send =
            |channel, request| async move { Keep::new(channel).verify_access_log(request).await };
        Ok(self.inner.caller.call(Freely, make, send).await?.entries)
    }

    async fn sealed(&self) -> Option<String> {
        let make = || Ok(v1::GetSealStatusRequest {});
        let send =
            |channel, request| async move { Keep::new(channel).get_seal_status(request).await };
        match self.inner.caller.call(Freely, make, send).await {
            Ok(status) => status.sealed,
            // A vault that cannot be asked cannot work for us either.
            Err(error) => Some(error.to_string()),
        }
    }
}
