//! The vault's outside world under the suite's control: Google's token endpoint.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

use crate::google_auth::{GoogleAuth, RefreshAnswer, RefreshError};

/// The scopes that [`FakeGoogle`] grants unless told otherwise.
pub const SCOPES: [&str; 2] = [
    "photoslibrary.appendonly",
    "photoslibrary.readonly.appcreateddata",
];

/// A token endpoint that counts: `access-token-1`, `access-token-2`, … each for an hour, or what was scripted.
#[derive(Debug, Default)]
pub struct FakeGoogle {
    calls: Mutex<Vec<String>>,
    script: Mutex<VecDeque<Result<RefreshAnswer, RefreshError>>>,
}

impl FakeGoogle {
    /// How often a refresh was asked.
    #[must_use]
    pub fn calls(&self) -> usize {
        held(&self.calls).len()
    }

    /// The refresh token of the last call.
    #[must_use]
    pub fn last_refresh_token(&self) -> Option<String> {
        held(&self.calls).last().cloned()
    }

    /// What the next call that is not scripted yet is answered with.
    pub fn script(&self, answer: Result<RefreshAnswer, RefreshError>) {
        held(&self.script).push_back(answer);
    }

    /// A good answer: an hour, [`SCOPES`], nothing else.
    #[must_use]
    pub fn good(access_token: &str) -> RefreshAnswer {
        RefreshAnswer {
            access_token: SecretString::from(access_token),
            expires_in: Duration::from_secs(3600),
            refresh_token: None,
            refresh_token_expires_in: None,
            scopes: SCOPES.map(str::to_owned).to_vec(),
        }
    }
}

#[async_trait]
impl GoogleAuth for FakeGoogle {
    async fn refresh(
        &self,
        _client_id: &str,
        _client_secret: &SecretString,
        refresh_token: &SecretString,
    ) -> Result<RefreshAnswer, RefreshError> {
        let number = {
            let mut calls = held(&self.calls);
            calls.push(refresh_token.expose_secret().to_owned());
            calls.len()
        };
        // Long enough for callers that do not wait for each other to be caught at it.
        tokio::time::sleep(Duration::from_millis(30)).await;
        let scripted = held(&self.script).pop_front();
        scripted.unwrap_or_else(|| Ok(Self::good(&format!("access-token-{number}"))))
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
