//! A fresh PostgreSQL database for one test.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use tokio::time::timeout;

use crate::{clean_up, provided, seed};

/// Creating or dropping a database on a busy machine takes a second at most.
const DEADLINE: Duration = Duration::from_secs(60);

/// An empty database of its own, dropped with this value, connections or not.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    server: PgConnectOptions,
    is_dropped: bool,
}

impl TestDatabase {
    /// Creates a database with a random name on the server of [`provided::postgres_url`].
    ///
    /// # Panics
    /// When that is not set, or the server does not answer.
    pub async fn create() -> Self {
        let server: PgConnectOptions = provided::postgres_url().parse().unwrap_or_else(|error| {
            panic!("TINTYPE_TEST_POSTGRES_URL is no PostgreSQL URL: {error}")
        });
        let name = format!("tintype_test_{:016x}", seed::entropy());
        // From template0, which nobody is connected to: tests may create databases side by side.
        execute(
            &server,
            format!("CREATE DATABASE {name} TEMPLATE template0"),
        )
        .await
        .unwrap_or_else(|error| panic!("cannot create a test database: {error}"));
        Self {
            name,
            server,
            is_dropped: false,
        }
    }

    /// The database's name, which needs no quotes.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The URL of the database, as the server's superuser.
    #[must_use]
    pub fn url(&self) -> String {
        self.options().to_url_lossy().to_string()
    }

    /// The URL of the database as another role, for tests of what that role may see. The server trusts
    /// every role without a password.
    #[must_use]
    pub fn url_as(&self, role: &str) -> String {
        self.options().username(role).to_url_lossy().to_string()
    }

    fn options(&self) -> PgConnectOptions {
        self.server.clone().database(&self.name)
    }

    /// Drops the database now.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn close(mut self) {
        self.is_dropped = true;
        drop_database(&self.server, &self.name)
            .await
            .unwrap_or_else(|error| panic!("cannot drop the test database {}: {error}", self.name));
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if self.is_dropped {
            return;
        }
        let (server, name) = (self.server.clone(), self.name.clone());
        clean_up::now(&format!("the test database {}", self.name), async move {
            drop_database(&server, &name).await
        });
    }
}

async fn drop_database(server: &PgConnectOptions, name: &str) -> Result<(), String> {
    // FORCE ends the connections that a pool of the test still holds.
    execute(
        server,
        format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
    )
    .await
}

async fn execute(server: &PgConnectOptions, sql: String) -> Result<(), String> {
    let work = async {
        let mut connection = PgConnection::connect_with(server).await?;
        sqlx::query(AssertSqlSafe(sql))
            .execute(&mut connection)
            .await?;
        connection.close().await
    };
    match timeout(DEADLINE, work).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(format!(
            "{error} (server {}:{}; `cargo xtask test` starts one)",
            server.get_host(),
            server.get_port()
        )),
        Err(_) => Err(format!("no answer within {} s", DEADLINE.as_secs())),
    }
}
