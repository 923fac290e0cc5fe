//! The control API: everything a person, a phone or Google itself would do, and the books to check against.

pub(crate) mod http;
pub(crate) mod items;
pub(crate) mod shapes;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use chrono::{TimeZone as _, Utc};

use crate::clock::pacific_day;
use crate::config::{ClientConfig, Library, SCOPE_APPEND, SCOPE_EDIT, SCOPE_READ};
use crate::error::EmulatorError;
use crate::faults::{Fault, FaultState};
use crate::kind::CallKind;
use crate::ledger::{LedgerEntry, LedgerSummary};
use crate::library;
use crate::oauth;
use crate::state::World;
use crate::state::ids::Key;
use crate::state::people::Grant;
use crate::state::quota::DayUse;
use crate::state::shelf::Owner;
use crate::switches::Switches;
use crate::sync::{lock, read, write};

/// A handle with the powers of the HTTP control API. Cheap to clone.
#[derive(Clone)]
pub struct Control {
    pub(crate) world: Arc<World>,
}

impl std::fmt::Debug for Control {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Control").finish_non_exhaustive()
    }
}

impl Control {
    pub(crate) fn new(world: Arc<World>) -> Self {
        Self { world }
    }

    /// The switches as they stand.
    #[must_use]
    pub fn switches(&self) -> Switches {
        (*self.world.switches()).clone()
    }

    /// Changes switches; calls under way keep the old ones.
    pub fn set(&self, change: impl FnOnce(&mut Switches)) {
        let mut switches = self.switches();
        change(&mut switches);
        self.world.set_switches(switches);
    }

    /// Adds a fault and says its number.
    pub fn fault(&self, fault: Fault) -> u64 {
        self.world.faults.add(fault)
    }

    /// All faults and how often they hit.
    #[must_use]
    pub fn faults(&self) -> Vec<FaultState> {
        self.world.faults.list()
    }

    /// Removes one fault, or all.
    pub fn clear_faults(&self, id: Option<u64>) {
        self.world.faults.clear(id);
    }

    /// The emulator's time, milliseconds since the epoch.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.world.clock.now_ms()
    }

    /// Moves the emulator's clock forward (or back): quota days, URL and token lifetimes follow.
    pub fn advance(&self, ms: i64) {
        let clock = &self.world.clock;
        clock.set_offset_ms(clock.offset_ms().saturating_add(ms));
    }

    /// Sets the clock's distance from the real one.
    pub fn set_clock_offset(&self, ms: i64) {
        self.world.clock.set_offset_ms(ms);
    }

    /// The clock's distance from the real one, milliseconds.
    #[must_use]
    pub fn clock_offset(&self) -> i64 {
        self.world.clock.offset_ms()
    }

    /// When the quota day that runs now began and ends, milliseconds since the epoch.
    #[must_use]
    pub fn quota_day(&self) -> (i64, i64) {
        let (_, start, end) = pacific_day(self.now_ms());
        (start, end)
    }

    /// Expires every base URL issued so far.
    pub fn expire_base_urls(&self) {
        self.world
            .urls_valid_from
            .store(self.now_ms().saturating_add(1), Ordering::Relaxed);
    }

    /// Adds an account, unless it exists.
    pub fn add_account(&self, email: &str) {
        let mut people = write(&self.world.people);
        if people.account(email).is_none() {
            people.accounts.push(email.to_owned());
        }
    }

    /// Adds an OAuth client, or replaces the secret and redirects of one.
    pub fn add_client(&self, client: ClientConfig) {
        let mut people = write(&self.world.people);
        match people.client(&client.client_id) {
            Some(place) => people.clients[usize::from(place)] = client,
            None => people.clients.push(client),
        }
    }

    /// Puts a library into an account, created by a client.
    ///
    /// # Errors
    /// When account or client are unknown, or a folder cannot be read.
    pub fn add_library(
        &self,
        email: &str,
        client_id: &str,
        library: Library,
    ) -> Result<(), EmulatorError> {
        let (account, client) = self.pair(email, client_id)?;
        library::place(&self.world, Owner { account, client }, library)
    }

    /// Tokens for an account and a client, without a person. Scopes are separated by spaces; the three Library
    /// scopes when `None`.
    ///
    /// # Errors
    /// When account or client are unknown.
    pub fn grant(
        &self,
        email: &str,
        client_id: &str,
        scopes: Option<&str>,
    ) -> Result<Grant, EmulatorError> {
        let (account, client) = self.pair(email, client_id)?;
        let usual = format!("{SCOPE_APPEND} {SCOPE_READ} {SCOPE_EDIT}");
        Ok(oauth::grant(
            &self.world,
            account,
            client,
            scopes.unwrap_or(&usual),
        ))
    }

    /// A fresh grant's token blob, exactly as `rclone authorize` prints it between its paste markers.
    ///
    /// # Errors
    /// When account or client are unknown.
    pub fn token_blob(&self, email: &str, client_id: &str) -> Result<String, EmulatorError> {
        Ok(self.blob_of(&self.grant(email, client_id, None)?))
    }

    pub(crate) fn blob_of(&self, grant: &Grant) -> String {
        let expiry = Utc
            .timestamp_millis_opt(grant.expires_ms)
            .single()
            .unwrap_or_default();
        // Go writes nanoseconds and the local offset.
        let expiry = expiry.format("%Y-%m-%dT%H:%M:%S%.9f+00:00");
        format!(
            "{{\"access_token\":\"{}\",\"token_type\":\"Bearer\",\"refresh_token\":\"{}\",\"expiry\":\"{expiry}\",\"expires_in\":3599}}",
            grant.access_token, grant.refresh_token
        )
    }

    /// Revokes a refresh or access token; false when it is unknown or already dead.
    pub fn revoke(&self, token: &str) -> bool {
        write(&self.world.people).revoke(token)
    }

    /// Revokes all tokens of an account, for one client or all: what a person does in their Google account.
    ///
    /// # Errors
    /// When account or client are unknown.
    pub fn revoke_all(&self, email: &str, client_id: Option<&str>) -> Result<(), EmulatorError> {
        let mut people = write(&self.world.people);
        let account = people
            .account(email)
            .ok_or_else(|| EmulatorError::unknown("account", email))?;
        let client = match client_id {
            Some(id) => Some(
                people
                    .client(id)
                    .ok_or_else(|| EmulatorError::unknown("client", id))?,
            ),
            None => None,
        };
        people.revoke_all(account, client);
        Ok(())
    }

    /// Ends every access token now; refresh tokens live on.
    pub fn expire_access_tokens(&self) {
        write(&self.world.people).expire_access();
    }

    /// Quota used, by Pacific date and project number.
    #[must_use]
    pub fn quota(&self) -> BTreeMap<String, BTreeMap<String, DayUse>> {
        lock(&self.world.quota).days().clone()
    }

    /// Sets what a project has used today.
    pub fn set_quota_used(&self, project: &str, used: DayUse) {
        lock(&self.world.quota).set(project, used, self.now_ms());
    }

    /// Up to `limit` ledger entries after a number, of one kind if asked. Empty in fast mode.
    #[must_use]
    pub fn ledger(&self, kind: Option<CallKind>, after: u64, limit: usize) -> Vec<LedgerEntry> {
        let entries = self.world.ledger.read(kind, after, limit);
        let people = read(&self.world.people);
        entries
            .into_iter()
            .map(|entry| LedgerEntry {
                number: entry.number,
                at_ms: entry.at_ms,
                kind: entry.kind,
                status: entry.status,
                project: entry.client.map(|client| people.project(client).to_owned()),
                client_id: entry
                    .client
                    .map(|client| people.client_id(client).to_owned()),
                account: entry
                    .account
                    .map(|account| people.email(account).to_owned()),
                item: entry.item.map(|key| Key(key).id(self.world.seed)),
                bytes: entry.bytes,
                range_start: entry.range_start,
                items: entry.items,
            })
            .collect()
    }

    /// Counts since the start or the last reset.
    #[must_use]
    pub fn summary(&self) -> LedgerSummary {
        let ledger = &self.world.ledger;
        let mut summary = LedgerSummary {
            download_bytes: ledger.download_bytes(),
            ..LedgerSummary::default()
        };
        for kind in CallKind::ALL {
            let statuses = ledger.statuses(kind);
            if !statuses.is_empty() {
                summary.calls.insert(kind, statuses.values().sum());
                summary.statuses.insert(kind, statuses);
            }
        }
        let seed = self.world.seed;
        summary.downloads_per_item = ledger
            .downloads()
            .into_iter()
            .map(|(item, count)| (Key(item).id(seed), count))
            .collect();
        summary
    }

    /// Calls of one kind since the start or the last reset, whatever their status.
    #[must_use]
    pub fn calls(&self, kind: CallKind) -> u64 {
        self.world.ledger.statuses(kind).values().sum()
    }

    /// Successful downloads of one item.
    #[must_use]
    pub fn downloads_of(&self, id: &str) -> u64 {
        Key::parse(id, self.world.seed).map_or(0, |key| self.world.ledger.downloads_of(key.0))
    }

    /// Forgets the ledger's entries and counts.
    pub fn reset_ledger(&self) {
        self.world.ledger.reset();
    }

    fn pair(&self, email: &str, client_id: &str) -> Result<(u16, u16), EmulatorError> {
        let people = read(&self.world.people);
        let account = people
            .account(email)
            .ok_or_else(|| EmulatorError::unknown("account", email))?;
        let client = people
            .client(client_id)
            .ok_or_else(|| EmulatorError::unknown("client", client_id))?;
        Ok((account, client))
    }
}
