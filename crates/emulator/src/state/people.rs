//! Accounts, OAuth clients, and the tokens that bind them.

use std::collections::HashMap;

use serde::Serialize;

use crate::config::ClientConfig;
use crate::mix::opaque;

/// A refresh token of an account for a client.
#[derive(Debug, Clone)]
pub(crate) struct Refresh {
    pub(crate) token: String,
    pub(crate) account: u16,
    pub(crate) client: u16,
    pub(crate) scopes: String,
    pub(crate) issued_ms: i64,
    pub(crate) used_ms: i64,
    pub(crate) revoked: bool,
}

/// An access token.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) account: u16,
    pub(crate) client: u16,
    pub(crate) scopes: String,
    pub(crate) expires_ms: i64,
    /// The refresh token it belongs to; revoking one ends the other.
    pub(crate) refresh: u64,
}

/// An authorization code that waits to be exchanged.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    pub(crate) account: u16,
    pub(crate) client: u16,
    pub(crate) scopes: String,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: Option<String>,
    pub(crate) offline: bool,
    pub(crate) issued_ms: i64,
    pub(crate) used: bool,
}

/// Tokens handed out by the control API, ready to use.
#[derive(Debug, Clone, Serialize)]
pub struct Grant {
    /// A refresh token.
    pub refresh_token: String,
    /// An access token.
    pub access_token: String,
    /// When the access token ends, milliseconds since the epoch.
    pub expires_ms: i64,
    /// Scopes, separated by spaces.
    pub scope: String,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct People {
    pub(crate) accounts: Vec<String>,
    pub(crate) clients: Vec<ClientConfig>,
    refresh: Vec<Refresh>,
    by_token: HashMap<String, usize>,
    access: HashMap<String, Access>,
    pub(crate) codes: HashMap<String, Code>,
    serial: u64,
}

impl People {
    pub(crate) fn account(&self, email: &str) -> Option<u16> {
        let place = self.accounts.iter().position(|known| known == email)?;
        u16::try_from(place).ok()
    }

    pub(crate) fn client(&self, client_id: &str) -> Option<u16> {
        let place = self
            .clients
            .iter()
            .position(|known| known.client_id == client_id)?;
        u16::try_from(place).ok()
    }

    pub(crate) fn client_id(&self, client: u16) -> &str {
        self.clients
            .get(usize::from(client))
            .map_or("", |client| &client.client_id)
    }

    pub(crate) fn email(&self, account: u16) -> &str {
        self.accounts
            .get(usize::from(account))
            .map_or("", String::as_str)
    }

    /// The cloud project: the number before the first `-` of the client id.
    pub(crate) fn project(&self, client: u16) -> &str {
        let id = self.client_id(client);
        id.split_once('-').map_or(id, |(number, _)| number)
    }

    pub(crate) fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// A new refresh token; the oldest live one of account and client dies when there are too many.
    pub(crate) fn new_refresh(
        &mut self,
        seed: u64,
        (account, client): (u16, u16),
        scopes: &str,
        now_ms: i64,
        most: usize,
    ) -> u64 {
        let serial = self.next_serial();
        let token = format!("1//0{}", opaque(seed ^ 0x4e4e, serial, 66));
        let live: Vec<usize> = (0..self.refresh.len())
            .filter(|place| {
                let known = &self.refresh[*place];
                !known.revoked && known.account == account && known.client == client
            })
            .collect();
        if live.len() >= most.max(1) {
            self.refresh[live[0]].revoked = true;
        }
        let place = self.refresh.len();
        self.by_token.insert(token.clone(), place);
        self.refresh.push(Refresh {
            token,
            account,
            client,
            scopes: scopes.to_owned(),
            issued_ms: now_ms,
            used_ms: now_ms,
            revoked: false,
        });
        place as u64
    }

    pub(crate) fn refresh_place(&self, token: &str) -> Option<u64> {
        self.by_token.get(token).map(|place| *place as u64)
    }

    pub(crate) fn refresh(&self, place: u64) -> Option<&Refresh> {
        self.refresh.get(usize::try_from(place).ok()?)
    }

    pub(crate) fn refresh_mut(&mut self, place: u64) -> Option<&mut Refresh> {
        self.refresh.get_mut(usize::try_from(place).ok()?)
    }

    /// A new access token under a refresh token (or under none, for `access_type=online`).
    pub(crate) fn new_access(&mut self, seed: u64, access: Access, now_ms: i64) -> String {
        const MANY: usize = 10_000;
        if self.access.len() > MANY {
            self.access.retain(|_, known| known.expires_ms > now_ms);
        }
        let serial = self.next_serial();
        let token = format!("ya29.{}", opaque(seed ^ 0x4141, serial, 120));
        self.access.insert(token.clone(), access);
        token
    }

    /// The access token's entry, if it lives.
    pub(crate) fn live_access(&self, token: &str, now_ms: i64) -> Option<&Access> {
        self.access.get(token).filter(|access| {
            access.expires_ms > now_ms
                && self
                    .refresh(access.refresh)
                    .is_none_or(|refresh| !refresh.revoked)
        })
    }

    /// Revokes a refresh or access token, and all that hangs on it. False when it is unknown.
    pub(crate) fn revoke(&mut self, token: &str) -> bool {
        let place = match self.access.remove(token) {
            Some(access) => Some(access.refresh),
            None => self.refresh_place(token),
        };
        let Some(place) = place else { return false };
        match self.refresh_mut(place) {
            Some(refresh) => !std::mem::replace(&mut refresh.revoked, true),
            None => true,
        }
    }

    /// Revokes everything of an account, for one client or all.
    pub(crate) fn revoke_all(&mut self, account: u16, client: Option<u16>) {
        for refresh in &mut self.refresh {
            if refresh.account == account && client.is_none_or(|client| client == refresh.client) {
                refresh.revoked = true;
            }
        }
    }

    /// Ends every access token now; refresh tokens live on.
    pub(crate) fn expire_access(&mut self) {
        self.access.clear();
    }
}
