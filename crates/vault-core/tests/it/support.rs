//! A database with a vault in it, for whoever wants to use it, and for whoever wants to tamper.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use secrecy::SecretString;
use sqlx::{AssertSqlSafe, PgPool, Row as _, SqlitePool, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use tintype_model::TenantId;
use tintype_ports::{
    Clock, Entropy,
    contract::vault::{self, FakeGoogle},
    fake::ManualClock,
    google_auth::{GoogleAuth, RefreshAnswer, RefreshError, SignIn},
};
use tintype_testkit::postgres::TestDatabase;
use tintype_vault_core::{KeyRing, KeySource, OpenError, Times, VaultCore, VaultPostgresSettings};
use uuid::Uuid;

#[derive(Debug)]
pub(crate) struct Halfway;

impl Entropy for Halfway {
    fn id_bytes(&self) -> [u8; 10] {
        [5; 10]
    }

    fn unit(&self) -> f64 {
        0.5
    }
}

/// Where the database is.
enum Base {
    File,
    Server(Box<TestDatabase>),
}

/// A database, a key ring, a folder, and the outside world.
pub(crate) struct Place {
    base: Base,
    folder: TempDir,
    files: u32,
    pub(crate) ring: KeyRing,
    pub(crate) google: Arc<FakeGoogle>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) settings: VaultPostgresSettings,
}

impl Place {
    pub(crate) fn in_a_file() -> Self {
        Self::at(Base::File)
    }

    pub(crate) async fn on_a_server() -> Self {
        let database = TestDatabase::create().await;
        VaultCore::migrate_postgres(&database.url()).await.unwrap();
        Self::at(Base::Server(Box::new(database)))
    }

    fn at(base: Base) -> Self {
        Self {
            base,
            folder: tempfile::tempdir().unwrap(),
            files: 0,
            ring: KeyRing::generate().unwrap(),
            google: Arc::default(),
            clock: vault::clock(),
            settings: VaultPostgresSettings {
                connections: 5,
                // Machines that run tests are busy.
                statement_timeout: Duration::from_secs(60),
                lock_timeout: Duration::from_secs(60),
                call_timeout: Duration::from_secs(90),
                times: Times::Clock,
                ..VaultPostgresSettings::default()
            },
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The server's database.
    pub(crate) fn server(&self) -> &TestDatabase {
        match &self.base {
            Base::File => panic!("the place is a file"),
            Base::Server(database) => database,
        }
    }

    /// One more vault on the database, with the place's own world.
    pub(crate) async fn open(&self) -> VaultCore {
        self.open_with(self.ring.clone()).await.unwrap()
    }

    /// The same with keys from elsewhere.
    pub(crate) async fn open_with(
        &self,
        keys: impl Into<KeySource> + Send,
    ) -> Result<VaultCore, OpenError> {
        let (google, clock) = (self.google.clone(), self.clock.clone());
        self.open_in(keys, google, clock).await
    }

    /// The same in another world.
    pub(crate) async fn open_in(
        &self,
        keys: impl Into<KeySource> + Send,
        google: Arc<dyn GoogleAuth>,
        clock: Arc<dyn Clock>,
    ) -> Result<VaultCore, OpenError> {
        let entropy = Arc::new(Halfway);
        match &self.base {
            Base::File => {
                let path = self.path(&format!("vault-{}.db", self.files));
                VaultCore::open(&path, keys, google, clock, entropy).await
            }
            Base::Server(database) => {
                let url = database.url();
                VaultCore::connect(&url, self.settings, keys, google, clock, entropy).await
            }
        }
    }

    /// A vault on a new, empty database, which is the place's from now on.
    pub(crate) async fn open_empty(
        &mut self,
        google: Arc<FakeGoogle>,
        clock: Arc<ManualClock>,
    ) -> VaultCore {
        self.files += 1;
        if let Base::Server(database) = &mut self.base {
            **database = TestDatabase::create().await;
            VaultCore::migrate_postgres(&database.url()).await.unwrap();
        }
        self.open_in(self.ring.clone(), google, clock)
            .await
            .unwrap()
    }

    /// The SQLite file itself, as an intruder or a broken disk sees it.
    async fn file(&self) -> SqlitePool {
        let options = SqliteConnectOptions::new()
            .filename(self.path(&format!("vault-{}.db", self.files)))
            .foreign_keys(false);
        SqlitePool::connect_with(options).await.unwrap()
    }

    /// Runs statements behind the vault's back, as the database's owner.
    pub(crate) async fn try_tamper(&self, sql: &str) -> Result<(), sqlx::Error> {
        let sql = AssertSqlSafe(sql.to_owned());
        match &self.base {
            Base::File => {
                let database = self.file().await;
                let done = sqlx::raw_sql(sql).execute(&database).await;
                database.close().await;
                done.map(drop)
            }
            Base::Server(server) => {
                let database = PgPool::connect(&server.url()).await.unwrap();
                let done = sqlx::raw_sql(sql).execute(&database).await;
                database.close().await;
                done.map(drop)
            }
        }
    }

    pub(crate) async fn tamper(&self, sql: &str) {
        let done = self.try_tamper(sql).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// A tenant's id as SQL writes it.
    pub(crate) fn id(&self, tenant: TenantId) -> String {
        self.uuid(tenant.as_uuid())
    }

    /// An id as SQL writes it.
    pub(crate) fn uuid(&self, id: Uuid) -> String {
        match self.base {
            Base::File => format!("x'{}'", id.simple()),
            Base::Server(_) => format!("'{id}'::uuid"),
        }
    }

    /// That many zero bytes as SQL writes them.
    pub(crate) fn zeros(&self, count: usize) -> String {
        match self.base {
            Base::File => format!("zeroblob({count})"),
            Base::Server(_) => format!("decode(repeat('00', {count}), 'hex')"),
        }
    }

    /// From now on a table takes no more rows, or none for which `when` holds.
    pub(crate) async fn fill_disk(&self, table: &str, when: Option<&str>) {
        let when = when
            .map(|when| format!("WHEN ({when})"))
            .unwrap_or_default();
        let sql = match self.base {
            Base::File => format!(
                "CREATE TRIGGER disk_full BEFORE INSERT ON {table} {when} BEGIN SELECT RAISE(ABORT, 'disk full'); END"
            ),
            Base::Server(_) => format!(
                "CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS
                     $$ BEGIN RAISE EXCEPTION 'disk full' USING ERRCODE = 'disk_full'; END $$;
                 CREATE TRIGGER disk_full BEFORE INSERT ON {table} FOR EACH ROW {when} EXECUTE FUNCTION disk_full()"
            ),
        };
        self.tamper(&sql).await;
    }

    pub(crate) async fn empty_disk(&self, table: &str) {
        let sql = match self.base {
            Base::File => "DROP TRIGGER disk_full".to_owned(),
            Base::Server(_) => {
                format!("DROP TRIGGER disk_full ON {table}; DROP FUNCTION disk_full")
            }
        };
        self.tamper(&sql).await;
    }

    /// Takes away what keeps the log from being changed.
    pub(crate) async fn allow_changes_of_the_log(&self) {
        let sql = match self.base {
            Base::File => {
                "DROP TRIGGER audit_entry_is_never_changed; DROP TRIGGER audit_entry_is_never_deleted"
            }
            Base::Server(_) => "DROP TRIGGER audit_entry_is_never_changed ON audit_entry",
        };
        self.tamper(sql).await;
    }

    /// Everything that the database keeps.
    pub(crate) async fn everything(&self) -> Vec<u8> {
        let Base::Server(server) = &self.base else {
            let files = std::fs::read_dir(self.folder.path()).unwrap();
            return files
                .flat_map(|file| std::fs::read(file.unwrap().path()).unwrap())
                .collect();
        };
        let database = PgPool::connect(&server.url()).await.unwrap();
        let mut all = Vec::new();
        for table in ["vault_tenant", "credential", "signing_key", "audit_entry"] {
            // In the escape form readable bytes stay readable.
            let sql = format!("SET bytea_output = 'escape'; SELECT t::text FROM {table} t");
            let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&database).await;
            for row in rows.unwrap() {
                all.extend(row.get::<String, _>(0).into_bytes());
            }
        }
        database.close().await;
        assert!(!all.is_empty());
        all
    }
}

/// A token endpoint that says when it is asked, and answers when it is told to: never, if it is not.
#[derive(Default)]
pub(crate) struct LateGoogle {
    pub(crate) calls: Mutex<u32>,
    pub(crate) asked: tokio::sync::Notify,
    pub(crate) answer: tokio::sync::Notify,
}

#[async_trait::async_trait]
impl GoogleAuth for LateGoogle {
    async fn refresh(
        &self,
        _client_id: &str,
        _client_secret: &SecretString,
        _refresh_token: &SecretString,
    ) -> Result<RefreshAnswer, RefreshError> {
        *self.calls.lock().unwrap() += 1;
        self.asked.notify_one();
        self.answer.notified().await;
        Ok(RefreshAnswer {
            refresh_token: Some(SecretString::from("1//late")),
            ..FakeGoogle::good("late-access-token")
        })
    }

    fn sign_in_url(&self, _sign_in: &SignIn<'_>) -> String {
        String::new()
    }

    async fn exchange(
        &self,
        _client_id: &str,
        _client_secret: &SecretString,
        _redirect_uri: &str,
        _code: &SecretString,
        _verifier: &SecretString,
    ) -> Result<RefreshAnswer, RefreshError> {
        Err(RefreshError::Unavailable("nobody signs in here".to_owned()))
    }

    async fn account(&self, _access_token: &SecretString) -> Result<Option<String>, RefreshError> {
        Ok(None)
    }

    async fn revoke(&self, _refresh_token: &SecretString) -> Result<(), RefreshError> {
        Err(RefreshError::Unavailable("nothing ends here".to_owned()))
    }
}

/// Waits until something is so; a minute is for ever.
pub(crate) async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(60) {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("never: {what}");
}
