//! Connections for reading. Each keeps for whom it reads, so that a read is one message to the server and one back: a
//! transaction around it would cost two more, and the server five statements instead of one.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use chrono::{DateTime, Utc};
use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, PgConnection, postgres::PgConnectOptions,
};
use tintype_model::TenantId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Conn, TRUSTED};
use crate::failure::Outcome;

/// On whose behalf statements run: a role, and the tenant whose rows it sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whom {
    Tenant(TenantId),
    Dispatch,
}

impl Whom {
    /// `set` says for how long: the session or the transaction.
    pub(super) fn statements(self, set: &str) -> String {
        let (role, tenant) = match self {
            Self::Tenant(tenant) => ("tintype_app", tenant.as_uuid().to_string()),
            Self::Dispatch => ("tintype_dispatch", String::new()),
        };
        format!("{set} ROLE {role}; {set} app.tenant_id = '{tenant}'")
    }
}

#[derive(Debug)]
struct Session {
    connection: PgConnection,
    /// `None` while it changes, and after a change that nobody knows the end of.
    whom: Option<Whom>,
    used_at: Instant,
}

/// The sessions of this process. There are never more than seats.
#[derive(Debug)]
pub(super) struct Readers {
    options: PgConnectOptions,
    seats: Arc<Semaphore>,
    idle: Mutex<Vec<Session>>,
}

impl Readers {
    pub(super) fn new(options: PgConnectOptions, seats: u32) -> Arc<Self> {
        Arc::new(Self {
            options,
            seats: Arc::new(Semaphore::new(seats as usize)),
            idle: Mutex::default(),
        })
    }

    /// A session that reads for `whom`.
    pub(super) async fn take(self: &Arc<Self>, whom: Whom) -> Outcome<Reading> {
        let seat = Arc::clone(&self.seats).acquire_owned().await;
        let seat = seat.map_err(|_| sqlx::Error::PoolClosed)?;
        let mut session = match self.living(whom).await {
            Some(session) => session,
            None => Session {
                connection: PgConnection::connect_with(&self.options).await?,
                whom: None,
                used_at: Instant::now(),
            },
        };
        if session.whom != Some(whom) {
            session.whom = None;
            let statements = sqlx::raw_sql(AssertSqlSafe(whom.statements("SET")));
            session.connection.execute(statements).await?;
            session.whom = Some(whom);
        }
        Ok(Reading {
            session,
            readers: Arc::clone(self),
            _seat: seat,
        })
    }

    /// An idle session that still lives; the best is one that reads for `whom` already.
    async fn living(&self, whom: Whom) -> Option<Session> {
        loop {
            let mut session = {
                let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
                let place = idle.iter().rposition(|it| it.whom == Some(whom));
                // The oldest, of those that read for others.
                let place = place.or_else(|| (!idle.is_empty()).then_some(0))?;
                idle.remove(place)
            };
            // One that was used a moment ago is not asked first.
            if session.used_at.elapsed() <= TRUSTED || session.connection.ping().await.is_ok() {
                return Some(session);
            }
        }
    }

    /// Closes the sessions; nobody gets one any more.
    pub(super) async fn close(&self) {
        self.seats.close();
        let idle = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *idle)
        };
        for session in idle {
            // The server may have closed it already.
            drop(session.connection.close().await);
        }
    }
}

/// Statements that only read, each by itself. Dropped without [`Reading::end`], its connection is closed: somebody stopped waiting,
/// or it failed, and nobody knows what it is good for.
pub(super) struct Reading {
    session: Session,
    readers: Arc<Readers>,
    _seat: OwnedSemaphorePermit,
}

impl Reading {
    pub(super) fn conn(&mut self) -> &mut Conn {
        &mut self.session.connection
    }

    /// The time that takes the place of the server's: none.
    pub(super) const fn told_time(&self) -> Option<DateTime<Utc>> {
        None
    }

    /// The answer is there: the next one may read.
    pub(super) fn end(self) {
        let Self {
            mut session,
            readers,
            _seat,
        } = self;
        session.used_at = Instant::now();
        let mut idle = readers.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if !readers.seats.is_closed() {
            idle.push(session);
        }
    }
}
