//! `tintype.vault.v1.Vault`.

use secrecy::{ExposeSecret as _, SecretString};
use tintype_ports::vault::AccessToken;
use tintype_proto::vault::v1::{self, vault_server::Vault};
use tonic::{Request, Response, Status};

use super::Api;
use crate::{
    answer::refused,
    convert::{answer, entry, id, info, secret, sign_in},
};

/// Entries of an access log at a time.
const PAGE: u32 = 1000;
/// Bytes that can be signed at a time.
const LONGEST_MESSAGE: usize = 64 * 1024;
/// Characters of the reason of a revocation.
const LONGEST_REASON: usize = 500;

#[tonic::async_trait]
impl Vault for Api {
    async fn put(
        &self,
        request: Request<v1::PutRequest>,
    ) -> Result<Response<v1::PutResponse>, Status> {
        let put = request.into_inner();
        let (tenant, storage) = (id("tenant", &put.tenant)?, id("storage", &put.storage)?);
        let secret = secret(put.credential)?;
        let known = self.keeper.put(tenant, storage, secret).await;
        let info = Some(info(known.map_err(refused)?));
        Ok(Response::new(v1::PutResponse { info }))
    }

    async fn describe(
        &self,
        request: Request<v1::DescribeRequest>,
    ) -> Result<Response<v1::DescribeResponse>, Status> {
        let asked = request.into_inner();
        let (tenant, storage) = (id("tenant", &asked.tenant)?, id("storage", &asked.storage)?);
        let known = self.keeper.describe(tenant, storage).await;
        let info = known.map_err(refused)?.map(info);
        Ok(Response::new(v1::DescribeResponse { info }))
    }

    async fn rotate(
        &self,
        request: Request<v1::RotateRequest>,
    ) -> Result<Response<v1::RotateResponse>, Status> {
        let asked = request.into_inner();
        let (tenant, storage) = (id("tenant", &asked.tenant)?, id("storage", &asked.storage)?);
        let secret = secret(asked.credential)?;
        let version = asked.expected_version;
        let known = self.keeper.rotate(tenant, storage, version, secret).await;
        let info = Some(info(known.map_err(refused)?));
        Ok(Response::new(v1::RotateResponse { info }))
    }

    async fn revoke(
        &self,
        request: Request<v1::RevokeRequest>,
    ) -> Result<Response<v1::RevokeResponse>, Status> {
        let asked = request.into_inner();
        let (tenant, storage) = (id("tenant", &asked.tenant)?, id("storage", &asked.storage)?);
        let length = asked.reason.chars().count();
        if !(1..=LONGEST_REASON).contains(&length) {
            return Err(Status::invalid_argument(format!(
                "reason: it has {length} characters, 1 to {LONGEST_REASON} fit"
            )));
        }
        let known = self.keeper.revoke(tenant, storage, &asked.reason).await;
        let info = Some(info(known.map_err(refused)?));
        Ok(Response::new(v1::RevokeResponse { info }))
    }

    async fn begin_sign_in(
        &self,
        request: Request<v1::BeginSignInRequest>,
    ) -> Result<Response<v1::BeginSignInResponse>, Status> {
        let asked = request.into_inner();
        let (tenant, storage) = (id("tenant", &asked.tenant)?, id("storage", &asked.storage)?);
        let sign_in = sign_in(asked)?;
        let page = self.keeper.begin_sign_in(tenant, storage, sign_in).await;
        let page = page.map_err(refused)?;
        Ok(Response::new(v1::BeginSignInResponse {
            url: page.url,
            expires_at: page.expires_at.timestamp_micros(),
        }))
    }

    async fn finish_sign_in(
        &self,
        request: Request<v1::FinishSignInRequest>,
    ) -> Result<Response<v1::FinishSignInResponse>, Status> {
        let (state, answer) = answer(request.into_inner())?;
        let signed_in = self.keeper.finish_sign_in(&state, answer).await;
        let signed_in = signed_in.map_err(refused)?;
        Ok(Response::new(v1::FinishSignInResponse {
            tenant: signed_in.tenant.to_string(),
            storage: signed_in.storage.to_string(),
            info: Some(info(signed_in.info)),
        }))
    }

    async fn disconnect(
        &self,
        request: Request<v1::DisconnectRequest>,
    ) -> Result<Response<v1::DisconnectResponse>, Status> {
        let asked = request.into_inner();
        let (tenant, storage) = (id("tenant", &asked.tenant)?, id("storage", &asked.storage)?);
        let disconnected = self.keeper.disconnect(tenant, storage).await;
        disconnected.map_err(refused)?;
        Ok(Response::new(v1::DisconnectResponse {}))
    }

    async fn delete(
        &self,
        request: Request<v1::DeleteRequest>,
    ) -> Result<Response<v1::DeleteResponse>, Status> {
        let asked = request.into_inner();
        let (tenant, storage) = (id("tenant", &asked.tenant)?, id("storage", &asked.storage)?);
        let deleted = self.keeper.delete(tenant, storage).await;
        deleted.map_err(refused)?;
        Ok(Response::new(v1::DeleteResponse {}))
    }

    async fn issue_access_token(
        &self,
        mut request: Request<v1::IssueAccessTokenRequest>,
    ) -> Result<Response<v1::IssueAccessTokenResponse>, Status> {
        let grant = self.granted(&request, &request.get_ref().grant)?;
        // Only the token itself is compared with what the vault has.
        let rejected = request.get_mut().rejected_token.take();
        let rejected = rejected.map(|token| AccessToken {
            secret: SecretString::from(token),
            expires_at: chrono::DateTime::UNIX_EPOCH,
            scopes: Vec::new(),
        });
        let token = self.keeper.access_token(&grant, rejected.as_ref()).await;
        let token = token.map_err(refused)?;
        Ok(Response::new(v1::IssueAccessTokenResponse {
            token: token.secret.expose_secret().to_owned(),
            expires_at: token.expires_at.timestamp_micros(),
            scopes: token.scopes,
        }))
    }

    async fn keep_alive(
        &self,
        request: Request<v1::KeepAliveRequest>,
    ) -> Result<Response<v1::KeepAliveResponse>, Status> {
        let grant = self.granted_life(&request, &request.get_ref().grant)?;
        let known = self.keeper.keep_alive(&grant).await;
        let info = Some(info(known.map_err(refused)?));
        Ok(Response::new(v1::KeepAliveResponse { info }))
    }

    async fn reveal_bucket_keys(
        &self,
        request: Request<v1::RevealBucketKeysRequest>,
    ) -> Result<Response<v1::RevealBucketKeysResponse>, Status> {
        let grant = self.granted(&request, &request.get_ref().grant)?;
        let keys = self.keeper.bucket_keys(&grant).await.map_err(refused)?;
        Ok(Response::new(v1::RevealBucketKeysResponse {
            access_key_id: keys.access_key_id,
            secret_access_key: keys.secret_access_key.expose_secret().to_owned(),
        }))
    }

    async fn sign(
        &self,
        request: Request<v1::SignRequest>,
    ) -> Result<Response<v1::SignResponse>, Status> {
        let asked = request.get_ref();
        let grant = self.granted(&request, &asked.grant)?;
        let length = asked.message.len();
        if length > LONGEST_MESSAGE {
            return Err(Status::invalid_argument(format!(
                "message: it has {length} bytes, {LONGEST_MESSAGE} are the most"
            )));
        }
        let signature = self.keeper.sign(&grant, &asked.message).await;
        let signature = signature.map_err(refused)?.to_vec();
        Ok(Response::new(v1::SignResponse { signature }))
    }

    async fn get_signing_key(
        &self,
        request: Request<v1::GetSigningKeyRequest>,
    ) -> Result<Response<v1::GetSigningKeyResponse>, Status> {
        let grant = self.granted(&request, &request.get_ref().grant)?;
        let key = self.keeper.signing_key(&grant).await.map_err(refused)?;
        let public_key = key.to_vec();
        Ok(Response::new(v1::GetSigningKeyResponse { public_key }))
    }

    async fn list_access_log(
        &self,
        request: Request<v1::ListAccessLogRequest>,
    ) -> Result<Response<v1::ListAccessLogResponse>, Status> {
        let asked = request.into_inner();
        let tenant = id("tenant", &asked.tenant)?;
        let limit = asked.limit.min(PAGE);
        let log = self.keeper.audit_log(tenant, asked.after, limit).await;
        let entries = log.map_err(refused)?.into_iter().map(entry).collect();
        Ok(Response::new(v1::ListAccessLogResponse { entries }))
    }
}
