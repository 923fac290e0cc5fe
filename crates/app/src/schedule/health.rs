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
    storage::{Storage, StorageSettings},
};
use tintype_ports::{
    VaultError,
    events::Event,
    store::WatchedStorage,
    vault::{Grant, SecretInfo},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{App, AppError, AppResult, Step, runs::describe};

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
        let mut troubles = Vec::new();
        while let Some((state, trouble)) = seen.next().await {
            *round.counts.entry(state).or_default() += 1;
            troubles.extend(trouble);
        }
        // One line for all of them: what one meets the others often meet too.
        if let Some(first) = troubles.first() {
            tracing::warn!(
                accounts.count = troubles.len(),
                error = %describe(first),
                "some accounts could not be looked after; that is tried again in the next round"
            );
        }
        if stop.is_cancelled() {
            return Ok(round);
        }
        round.is_over = last.is_none();
        round.after = last;
        if round.is_over {
            show(&round.counts);
            self.ports.steps.reached(Step::AccountsLookedAfter);
        }
        Ok(round)
    }

    /// How the account is, in a word, and what went wrong.
    async fn look_after_one(
        &self,
        it: &WatchedStorage,
        stop: &CancellationToken,
    ) -> (&'static str, Option<AppError>) {
        let (tenant, storage) = (it.storage.tenant, it.storage.id);
        let known = async || {
            let info = self.ports.vault.describe(tenant, storage).await?;
            AppResult::Ok(info.filter(|info| info.signs().is_some()))
        };
        let info = tokio::select! {
            () = stop.cancelled() => return (UNKNOWN, None),
            info = known() => info,
        };
        let info = match info {
            Ok(Some(info)) => info,
            Ok(None) => return (NONE, None),
            Err(error) => return (UNKNOWN, Some(error)),
        };
        let mut signs = info.signs().unwrap_or_default();
        let mut trouble = None;
        if self.is_due(&info, &signs, &it.storage) {
            match self.use_token(tenant, storage, stop).await {
                Ok(Some(used)) => signs = used,
                Ok(None) => {}
                Err(error) => {
                    // A refusal is written down, and shown.
                    let is_refusal = matches!(error, AppError::Vault(VaultError::Refused(_)));
                    trouble = Some(error).filter(|_| !is_refusal);
                    let now_known = known().await.ok().flatten();
                    signs = now_known.and_then(|info| info.signs()).unwrap_or(signs);
                }
            }
        }
        if let Err(error) = self.warn(it, &signs).await {
            trouble = Some(error);
        }
        (signs.health(self.ports.clock.now()).as_str(), trouble)
    }

    fn is_due(&self, info: &SecretInfo, signs: &Signs, storage: &Storage) -> bool {
        let now = self.ports.clock.now();
        let rests = info.retry_at.is_some_and(|at| now < at);
        // Whoever has just connected an account is about to use it.
        let age = (now - storage.created_at).to_std().unwrap_or_default();
        let is_new = signs.used_at.is_none() && age < self.settings.accounts_every;
        !rests && !is_new && is_keep_alive_due(signs, spread(storage.id), now)
    }

    /// Uses the account's token for its own sake. `None`: this process is to stop; the vault ends what it began all the same.
    async fn use_token(
        &self,
        tenant: TenantId,
        storage: StorageId,
        stop: &CancellationToken,
    ) -> AppResult<Option<Signs>> {
        let grant = Grant {
            tenant,
            storage,
            run: None,
            purpose: "keep_alive".into(),
        };
        let kept = tokio::select! {
            () = stop.cancelled() => return Ok(None),
            kept = self.ports.vault.keep_alive(&grant) => kept,
        };
        let outcome = match &kept {
            Ok(_) => "ok",
            Err(VaultError::Refused(_)) => "refused",
            Err(_) => "failed",
        };
        metrics::counter!("tintype_kept_alive_total", "outcome" => outcome).increment(1);
        Ok(kept?.signs())
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
