//! Google's OAuth endpoints, which only the vault talks to.

use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use tintype_model::storage::GoogleScope;

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

/// Where a person is sent to sign in.
#[derive(Debug, Clone, Copy)]
pub struct SignIn<'a> {
    /// OAuth client id.
    pub client_id: &'a str,
    /// Where Google sends the person back to, exactly as the client has it.
    pub redirect_uri: &'a str,
    /// What is asked for.
    pub scopes: &'a [GoogleScope],
    /// Comes back with the answer.
    pub state: &'a str,
    /// SHA-256 of the code verifier, in base64 for URLs (RFC 7636, S256).
    pub challenge: &'a str,
}

/// Google's OAuth endpoints.
#[async_trait]
pub trait GoogleAuth: Send + Sync {
    /// Trades a refresh token for an access token.
    async fn refresh(
        &self,
        client_id: &str,
        client_secret: &SecretString,
        refresh_token: &SecretString,
    ) -> Result<RefreshAnswer, RefreshError>;

    /// The page on which a person allows or denies. Also asks who it is that signs in.
    fn sign_in_url(&self, sign_in: &SignIn<'_>) -> String;

    /// Trades what came of a sign-in for tokens. A code is good once, so it is asked once.
    async fn exchange(
        &self,
        client_id: &str,
        client_secret: &SecretString,
        redirect_uri: &str,
        code: &SecretString,
        verifier: &SecretString,
    ) -> Result<RefreshAnswer, RefreshError>;

    /// Which Google account an access token is of: a name that never changes and means nothing elsewhere. `None` where the
    /// token does not allow the question.
    async fn account(&self, access_token: &SecretString) -> Result<Option<String>, RefreshError>;

    /// Ends the grant that a refresh token stands for. One that Google does not know any more is ended.
    async fn revoke(&self, refresh_token: &SecretString) -> Result<(), RefreshError>;
}
