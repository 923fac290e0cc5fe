//! The refresh grant: a refresh token for an access token.

use secrecy::{ExposeSecret as _, SecretString};
use tintype_ports::google_auth::{RefreshAnswer, RefreshError};

use super::{GoogleOAuth, call::tokens};

pub(super) async fn refresh(
    google: &GoogleOAuth,
    client_id: &str,
    client_secret: &SecretString,
    refresh_token: &SecretString,
) -> Result<RefreshAnswer, RefreshError> {
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", client_id),
        ("client_secret", client_secret.expose_secret()),
        ("refresh_token", refresh_token.expose_secret()),
    ];
    let endpoint = &google.settings.endpoints.token;
    let request = || google.client.post(endpoint.clone()).form(&form);
    google.patiently(request, tokens).await
}
