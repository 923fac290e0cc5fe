//! Looks after the accounts of all tenants: uses tokens that nothing else uses, warns of their deaths, counts how they are.
//!
//! A warning is published before it is recorded. A crash between the two, or a second scheduler that does not know yet that it no
//! longer leads, tells it again; never is one lost. Each names its account, the death and how long before it, by which readers
//! know it again. A table of events to send would promise no more: what is sent and not crossed out yet is sent again as well.

use std::{collections::BTreeMap, time::Instant};

use futures::{StreamExt as _, stream};
use tintype_model::{
    StorageId, TenantId,
    credential::health::{Signs, TokenHealth, is_keep_alive_due},
    storage::StorageSettings,
};
use tintype_ports::{
    VaultError,
    events::Event,
    store::WatchedStorage,
    vault::{Grant, SecretInfo},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{App, AppResult, Step, runs::describe};

/// Storages that are looked at in one go.
const PAGE: u32 = 100;

/// Accounts that are looked after at the same time: who was away for long does not fall upon Google with all of them.
const AT_ONCE: usize = 4;

/// Accounts that nobody is signed in for.
const NONE: &str = "none";

/// Accounts that the vault says nothing of.
const UNKNOWN: &str = "unknown";

/// One way through all storages.
#[derive(Debug, Default)]
struct Round {
    after: Option<(TenantId, StorageId)>,
    is_over: bool,
    counts: BTreeMap<&'static str, u64>,
}

/// The rounds of the scheduler that leads. Each page is a task of its own: nothing waits for Google.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    page: Option<JoinHandle<AppResult<Round>>>,
    next_at: Option<Instant>,
}

impl Rounds {
    /// Goes on with the round, or begins one that is due.
    pub(super) async fn look(&mut self, app: &App, stop: &CancellationToken) {
        let is_under_way = self.page.as_ref().is_some_and(|page| !page.is_finished());
        if is_under_way || self.next_at.is_some_and(|at| Instant::now() < at) {
            return;
        }
        let mut round = Round::default();
        if let Some(page) = self.page.take() {
            match page.await {
                Ok(Ok(done)) => round = done,
                Ok(Err(error)) => {
                    tracing::warn!(error = %describe(&error), "accounts will be looked after later");
                    round.is_over = true;
                }
                Err(error) => {
                    tracing::error!(error = %error, "looking after accounts broke off");
                    round.is_over = true;
                }
            }
        }
        if round.is_over {
            self.next_at = Some(Instant::now() + app.settings.accounts_every);
            return;
        }
        self.next_at = None;
        let (app, stop) = (app.clone(), stop.clone());
        self.page = Some(tokio::spawn(
            async move { app.look_after(round, &stop).await },
        ));
    }

    /// Waits for what is under way, which was told to stop.
    pub(super) async fn end(self) {
        if let Some(page) = self.page
            && let Err(error) = page.await
        {
            tracing::error!(error = %error, "looking after accounts broke off");
        }
    }
}

/// Where in its seventh day without use a token is used, by the random part of its storage's id.
fn spread(storage: StorageId) -> f64 {
    let bytes = storage.as_uuid().into_bytes();
    f64::from(u16::from_be_bytes([bytes[14], bytes[15]])) / 65_536.0
}

impl App {
    async fn look_after(&self, mut round: Round, stop: &CancellationToken) -> AppResult<Round> {
        let store = &self.ports.store;
        let page = store.watched_storages(round.after, PAGE).await?;
        let last = page.last().map(|it| (it.storage.tenant, it.storage.id));
        let accounts = page
            .into_iter()
            .filter(|it| matches!(it.storage.settings, StorageSettings::GooglePhotos(_)));
        let mut seen = stream::iter(accounts)
            .map(|it| async move { self.look_after_one(&it, stop).await })
            .buffer_unordered(AT_ONCE);
        while let Some(state) = seen.next().await {
            *round.counts.entry(state).or_default() += 1;
        }
        if stop.is_cancelled() {
            return Ok(round);
        }
        round.is_over = last.is_none();
        round.after = last;
        if round.is_over {
            show(&round.counts);
        }
        Ok(round)
    }

    /// How the account is, in a word.
    async fn look_after_one(&self, it: &WatchedStorage, stop: &CancellationToken) -> &'static str {
        let (tenant, storage) = (it.storage.tenant, it.storage.id);
        if stop.is_cancelled() {
            return UNKNOWN;
        }
        let signs = match self.signs(tenant, storage, stop).await {
            Ok(Some(signs)) => signs,
            Ok(None) => return NONE,
            Err(error) => {
                tracing::debug!(storage.id = %storage, error = %describe(&error), "the vault says nothing of an account");
                return UNKNOWN;
            }
        };
        if let Err(error) = self.warn(it, &signs).await {
            tracing::warn!(storage.id = %storage, error = %describe(&error), "a warning will be given later");
        }
        signs.health(self.ports.clock.now()).as_str()
    }

    /// What is known of the account's token, after it was used where that was due.
    async fn signs(
        &self,
        tenant: TenantId,
        storage: StorageId,
        stop: &CancellationToken,
    ) -> Result<Option<Signs>, VaultError> {
        let known = async || {
            let info = self.ports.vault.describe(tenant, storage).await?;
            Ok::<_, VaultError>(info.as_ref().and_then(SecretInfo::signs))
        };
        let Some(signs) = known().await? else {
            return Ok(None);
        };
        if !is_keep_alive_due(&signs, spread(storage), self.ports.clock.now()) {
            return Ok(Some(signs));
        }
        let grant = Grant {
            tenant,
            storage,
            run: None,
            purpose: "keep_alive".into(),
        };
        // The vault ends what it began, whoever asks.
        let kept = tokio::select! {
            () = stop.cancelled() => return Ok(Some(signs)),
            kept = self.ports.vault.keep_alive(&grant) => kept,
        };
        let outcome = match &kept {
            Ok(_) => "ok",
            Err(VaultError::Refused(_)) => "refused",
            Err(_) => "failed",
        };
        metrics::counter!("tintype_kept_alive_total", "outcome" => outcome).increment(1);
        match kept {
            Ok(info) => Ok(info.signs()),
            Err(error) => {
                tracing::warn!(storage.id = %storage, error = %describe(&error), "a token that nothing else uses could not be used");
                known().await
            }
        }
    }

    async fn warn(&self, it: &WatchedStorage, signs: &Signs) -> AppResult<()> {
        let now = self.ports.clock.now();
        let Some((death, warned)) = signs.warning(it.warned.as_ref(), now) else {
            return Ok(());
        };
        let (tenant, storage) = (it.storage.tenant, it.storage.id);
        let event = Event::AccountExpiring {
            storage,
            dies_at: warned.dies_at,
            why: death.why,
            hours_before: warned.deadline.hours(),
        };
        self.ports.events.publish(tenant, event).await?;
        self.ports.steps.reached(Step::WarningTold);
        let store = &self.ports.store;
        let is_first = store
            .record_warning(tenant, storage, it.warned, warned)
            .await?;
        tracing::info!(
            storage.id = %storage,
            warning.hours_before = warned.deadline.hours(),
            warning.first = is_first,
            "a tenant was told that an account's token will die"
        );
        Ok(())
    }
}

/// States without an account too, or what was said of them last would stand for ever.
#[expect(clippy::cast_precision_loss, reason = "a gauge is approximate")]
fn show(counts: &BTreeMap<&'static str, u64>) {
    let states = TokenHealth::ALL.map(TokenHealth::as_str);
    for state in states.into_iter().chain([NONE, UNKNOWN]) {
        let count = counts.get(state).copied().unwrap_or(0);
        metrics::gauge!("tintype_accounts", "health" => state).set(count as f64);
    }
}
