//! Ends a grant.

use secrecy::{ExposeSecret as _, SecretString};
use tintype_ports::google_auth::RefreshError;

use super::{GoogleOAuth, call::refused};

pub(super) async fn revoke(
    google: &GoogleOAuth,
    refresh_token: &SecretString,
) -> Result<(), RefreshError> {
    let form = [("token", refresh_token.expose_secret())];
    let endpoint = &google.settings.endpoints.revoke;
    let request = || google.client.post(endpoint.clone()).form(&form);
    let revoked = google
        .patiently(request, |answer| {
            if answer.status.is_success() {
                return Ok(());
            }
            Err(refused(answer))
        })
        .await;
    match revoked {
        // It is over already.
        Err(RefreshError::InvalidGrant(_)) => Ok(()),
        revoked => revoked,
    }
}
