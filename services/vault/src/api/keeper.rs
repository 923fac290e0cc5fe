//! `tintype.vault.v1.Keeper`.

use tintype_proto::vault::v1::{self, keeper_server::Keeper};
use tonic::{Request, Response, Status};

use super::Api;
use crate::{
    answer::{log_fault, refused},
    convert::{id, standing},
};

/// Tenants that one call may rewrap.
const MOST_TENANTS: u32 = 1000;

#[tonic::async_trait]
impl Keeper for Api {
    async fn get_key_standing(
        &self,
        _request: Request<v1::GetKeyStandingRequest>,
    ) -> Result<Response<v1::GetKeyStandingResponse>, Status> {
        let known = self.keeper.key_standing().await.map_err(refused)?;
        let standing = Some(standing(known));
        Ok(Response::new(v1::GetKeyStandingResponse { standing }))
    }

    async fn rewrap(
        &self,
        request: Request<v1::RewrapRequest>,
    ) -> Result<Response<v1::RewrapResponse>, Status> {
        let limit = request.into_inner().limit;
        if !(1..=MOST_TENANTS).contains(&limit) {
            return Err(Status::invalid_argument(format!(
                "limit: it is {limit}, 1 to {MOST_TENANTS} fit"
            )));
        }
        let left = self.keeper.rewrap(limit).await.map_err(refused)?;
        let standing = Some(standing(left));
        Ok(Response::new(v1::RewrapResponse { standing }))
    }

    async fn rotate_tenant_key(
        &self,
        request: Request<v1::RotateTenantKeyRequest>,
    ) -> Result<Response<v1::RotateTenantKeyResponse>, Status> {
        let tenant = id("tenant", &request.into_inner().tenant)?;
        let rotated = self.keeper.rotate_tenant_key(tenant).await;
        rotated.map_err(refused)?;
        Ok(Response::new(v1::RotateTenantKeyResponse {}))
    }

    async fn destroy_tenant(
        &self,
        request: Request<v1::DestroyTenantRequest>,
    ) -> Result<Response<v1::DestroyTenantResponse>, Status> {
        let tenant = id("tenant", &request.into_inner().tenant)?;
        let destroyed = self.keeper.destroy_tenant(tenant).await;
        destroyed.map_err(refused)?;
        Ok(Response::new(v1::DestroyTenantResponse {}))
    }

    async fn verify_access_log(
        &self,
        request: Request<v1::VerifyAccessLogRequest>,
    ) -> Result<Response<v1::VerifyAccessLogResponse>, Status> {
        let tenant = id("tenant", &request.into_inner().tenant)?;
        let checked = self.keeper.verify_audit_log(tenant).await;
        let entries = checked.map_err(log_fault)?;
        Ok(Response::new(v1::VerifyAccessLogResponse { entries }))
    }

    async fn get_seal_status(
        &self,
        _request: Request<v1::GetSealStatusRequest>,
    ) -> Result<Response<v1::GetSealStatusResponse>, Status> {
        let sealed = self.keeper.sealed().await;
        Ok(Response::new(v1::GetSealStatusResponse { sealed }))
    }
}
