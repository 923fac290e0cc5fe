//! Google's OAuth endpoint, which only the vault talks to.

use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;

/// The endpoint's good answer.
#[derive(Debug, Clone)]
pub struct RefreshAnswer {
    /// The new access token.
    pub access_token: SecretString,
    /// How long it lives.
    pub expires_in: Duration,
    /// A new refresh token, when Google replaces the old one.
    pub refresh_token: Option<SecretString>,
    /// How long the refresh token lives, where Google says so (apps in Testing: 7 days).
    pub refresh_token_expires_in: Option<Duration>,
    /// Granted scopes, without order.
    pub scopes: Vec<String>,
}

/// Why no access token came.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// `invalid_grant`: the refresh token is dead; the person must sign in again.
    #[error("google refuses the refresh token: {0}")]
    InvalidGrant(String),
    /// `invalid_client` and the like: client id or secret are wrong.
    #[error("google refuses the oauth client: {0}")]
    InvalidClient(String),
    /// Passing trouble.
    #[error("google's token endpoint did not answer as it should: {0}")]
    Unavailable(String),
}

/// Google's token endpoint.
#[async_trait]
pub trait GoogleAuth: Send + Sync {
    /// Trades a refresh token for an access token.
    async fn refresh(
        &self,
        client_id: &str,
        client_secret: &SecretString,
        refresh_token: &SecretString,
    ) -> Result<RefreshAnswer, RefreshError>;
}
