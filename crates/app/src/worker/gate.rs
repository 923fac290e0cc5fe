//! The gate in front of Google: each single HTTP attempt is counted against the quota and gets its access token here.

use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tintype_model::{
    progress::Progress,
    quota::{CloudProject, QuotaKind},
    shard::Lease,
};
use tintype_ports::{
    VaultError,
    photos::{Attempt, CallGate, Traffic},
    quota::QuotaError,
    vault::{AccessToken, Grant},
};
use tokio::sync::Mutex;
use tracing::{Instrument as _, debug_span};

use super::permits::Road;
use crate::{App, AppResult};

/// An access token is asked for anew this long before it ends, so that no call starts with a dying one.
const TOKEN_MARGIN_SECONDS: i64 = 60;

/// The gate of one shard (or one test) to one account.
pub(crate) struct Gate {
    app: App,
    grant: Grant,
    project: CloudProject,
    token: Mutex<Option<AccessToken>>,
    /// Whether calls are counted against the quota of the project's day.
    counted: bool,
    requests: AtomicU64,
    downloads: AtomicU64,
}

/// How long nothing is asked where calls are not counted, and Google says all the same that the day is over.
const REST: chrono::TimeDelta = chrono::TimeDelta::hours(1);

impl Gate {
    pub(crate) fn new(app: &App, grant: Grant, project: CloudProject) -> Self {
        Self {
            app: app.clone(),
            grant,
            project,
            token: Mutex::new(None),
            counted: true,
            requests: AtomicU64::new(0),
            downloads: AtomicU64::new(0),
        }
    }

    /// The same gate for calls that Google does not count by the day.
    pub(crate) fn uncounted(&self) -> Self {
        Self {
            counted: false,
            ..Self::new(&self.app, self.grant.clone(), self.project.clone())
        }
    }

    /// Bytes of the account's project in one direction.
    pub(crate) fn road(&self, traffic: Traffic) -> Road {
        Road {
            project: self.project.clone(),
            traffic,
        }
    }

    /// The calls made since the last time this was asked.
    pub(crate) fn take_spent(&self) -> Progress {
        Progress {
            requests: self.requests.swap(0, Ordering::Relaxed),
            downloads: self.downloads.swap(0, Ordering::Relaxed),
            ..Progress::default()
        }
    }
}

impl App {
    /// Adds the calls that no record of items has counted. Mostly there are none, and no write is due.
    pub(crate) async fn record_calls(&self, lease: &Lease, spent: &Progress) -> AppResult<()> {
        if *spent != Progress::default() {
            self.ports.store.record(lease, &[], spent).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl CallGate for Gate {
    async fn admit(&self, kind: QuotaKind) -> Result<(), QuotaError> {
        if kind == QuotaKind::Download {
            let now = self.app.ports.clock.now();
            let road = self.road(Traffic::Download);
            if let Some(resumes_at) = self.app.permits.rests_until(&road, now) {
                return Err(QuotaError::Exhausted {
                    project: self.project.clone(),
                    resumes_at,
                });
            }
        }
        if !self.counted {
            return Ok(());
        }
        let span = debug_span!("quota.spend", quota.kind = kind.as_str());
        let spent = self.app.ports.quota.spend(&self.project, kind, 1);
        spent.instrument(span).await?;
        let counter = match kind {
            QuotaKind::Request => &self.requests,
            QuotaKind::Download => &self.downloads,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn exhausted(&self, kind: QuotaKind) -> Result<DateTime<Utc>, QuotaError> {
        if !self.counted {
            return Ok(self.app.ports.clock.now() + REST);
        }
        self.app
            .ports
            .quota
            .mark_exhausted(&self.project, kind)
            .await
    }

    async fn access_token(
        &self,
        rejected: Option<&AccessToken>,
    ) -> Result<AccessToken, VaultError> {
        let mut held = self.token.lock().await;
        let soon = self.app.ports.clock.now() + chrono::TimeDelta::seconds(TOKEN_MARGIN_SECONDS);
        if let Some(token) = held.as_ref() {
            let refused = rejected.is_some_and(|rejected| rejected.is_same(token));
            if !refused && token.expires_at > soon {
                return Ok(token.clone());
            }
        }
        let token = self
            .app
            .ports
            .vault
            .access_token(&self.grant, rejected)
            .instrument(debug_span!("vault.access_token"))
            .await?;
        *held = Some(token.clone());
        Ok(token)
    }

    fn observe(&self, attempt: Attempt) {
        if attempt.traffic != Traffic::Call {
            let now = self.app.ports.clock.now();
            let road = self.road(attempt.traffic);
            self.app.permits.observe(&road, attempt, now);
        }
    }
}
