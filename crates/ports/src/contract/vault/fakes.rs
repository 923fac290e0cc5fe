//! The vault's outside world under the suite's control: Google's token endpoint.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

use crate::google_auth::{GoogleAuth, RefreshAnswer, RefreshError, SignIn};

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
    codes: Mutex<HashMap<String, Answered>>,
    exchanged: Mutex<Vec<(String, String)>>,
    accounts: Mutex<HashMap<String, String>>,
    revoked: Mutex<Vec<String>>,
    revocation: Mutex<Option<RefreshError>>,
}

/// What a code is traded for, and whose account it is.
type Answered = (Result<RefreshAnswer, RefreshError>, Option<String>);

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

    /// A person of this account has signed in: `code` is traded for `answer`, once. The access token says who it is.
    pub fn sign_in(
        &self,
        code: &str,
        answer: Result<RefreshAnswer, RefreshError>,
        account: Option<&str>,
    ) {
        held(&self.codes).insert(code.to_owned(), (answer, account.map(str::to_owned)));
    }

    /// The codes that were traded, each with the verifier that came with it.
    #[must_use]
    pub fn exchanged(&self) -> Vec<(String, String)> {
        held(&self.exchanged).clone()
    }

    /// The refresh tokens whose grants were ended.
    #[must_use]
    pub fn revoked(&self) -> Vec<String> {
        held(&self.revoked).clone()
    }

    /// What the next end of a grant is answered with.
    pub fn refuse_revocation(&self, error: RefreshError) {
        *held(&self.revocation) = Some(error);
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

    fn sign_in_url(&self, sign_in: &SignIn<'_>) -> String {
        let scopes: Vec<_> = sign_in.scopes.iter().map(|scope| scope.name()).collect();
        [
            "google:",
            sign_in.client_id,
            sign_in.redirect_uri,
            &scopes.join(","),
            sign_in.challenge,
            sign_in.state,
        ]
        .join(" ")
    }

    async fn exchange(
        &self,
        _client_id: &str,
        _client_secret: &SecretString,
        _redirect_uri: &str,
        code: &SecretString,
        verifier: &SecretString,
    ) -> Result<RefreshAnswer, RefreshError> {
        let (code, verifier) = (code.expose_secret(), verifier.expose_secret());
        held(&self.exchanged).push((code.to_owned(), verifier.to_owned()));
        let Some((answer, account)) = held(&self.codes).remove(code) else {
            return Err(RefreshError::InvalidGrant(
                "Malformed auth code.".to_owned(),
            ));
        };
        let answer = answer?;
        if let Some(account) = account {
            let token = answer.access_token.expose_secret().to_owned();
            held(&self.accounts).insert(token, account);
        }
        Ok(answer)
    }

    async fn account(&self, access_token: &SecretString) -> Result<Option<String>, RefreshError> {
        Ok(held(&self.accounts)
            .get(access_token.expose_secret())
            .cloned())
    }

    async fn revoke(&self, refresh_token: &SecretString) -> Result<(), RefreshError> {
        if let Some(error) = held(&self.revocation).take() {
            return Err(error);
        }
        held(&self.revoked).push(refresh_token.expose_secret().to_owned());
        Ok(())
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
