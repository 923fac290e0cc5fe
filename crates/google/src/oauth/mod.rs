//! Google's OAuth endpoints. Only the vault calls them.

mod call;
mod refresh;
mod revoke;
mod sign_in;

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::Client;
use secrecy::SecretString;
use tintype_ports::{
    clock::Entropy,
    google_auth::{GoogleAuth, RefreshAnswer, RefreshError, SignIn},
};

use crate::settings::GoogleSettings;

/// Google's OAuth endpoints.
#[derive(Debug, Clone)]
pub struct GoogleOAuth {
    client: Client,
    settings: Arc<GoogleSettings>,
    entropy: Arc<dyn Entropy>,
}

impl GoogleOAuth {
    /// `client` must follow no redirects, as those of `tintype-runtime` do.
    #[must_use]
    pub fn new(client: Client, settings: GoogleSettings, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            client,
            settings: Arc::new(settings),
            entropy,
        }
    }
}

#[async_trait]
impl GoogleAuth for GoogleOAuth {
    async fn refresh(
        &self,
        client_id: &str,
        client_secret: &SecretString,
        refresh_token: &SecretString,
    ) -> Result<RefreshAnswer, RefreshError> {
        refresh::refresh(self, client_id, client_secret, refresh_token).await
    }

    fn sign_in_url(&self, sign_in: &SignIn<'_>) -> String {
        sign_in::url(self, sign_in)
    }

    async fn exchange(
        &self,
        client_id: &str,
        client_secret: &SecretString,
        redirect_uri: &str,
        code: &SecretString,
        verifier: &SecretString,
    ) -> Result<RefreshAnswer, RefreshError> {
        let client = (client_id, client_secret);
        sign_in::exchange(self, client, redirect_uri, code, verifier).await
    }

    async fn account(&self, access_token: &SecretString) -> Result<Option<String>, RefreshError> {
        sign_in::account(self, access_token).await
    }

    async fn revoke(&self, refresh_token: &SecretString) -> Result<(), RefreshError> {
        revoke::revoke(self, refresh_token).await
    }
}
