//! PostgreSQL itself keeps tenants apart, whatever the statements of the program say.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use tintype_ports::contract::store::{StoreUnderTest, World};
use tintype_store::{PostgresSettings, PostgresStore};
use tintype_testkit::postgres::TestDatabase;

use crate::{postgres::FEW, samples::samples};

/// The tenants of the sample rows.
const ONE: &str = "0190f5a0-0000-7000-8000-000100000001";
const OTHER: &str = "0190f5a0-0000-7000-8000-000200000001";

const REFUSED: &str = "42501";

struct Server {
    database: TestDatabase,
    owner: PgConnection,
    tables: Vec<String>,
}

/// A database with the sample rows of two tenants in every table.
async fn filled() -> Server {
    let database = TestDatabase::create().await;
    PostgresStore::migrate(&database.url())
        .await
        .expect("migrated");
    let mut owner = PgConnection::connect(&database.url())
        .await
        .expect("connected");
    let versions: Vec<i64> =
        sqlx::query_scalar("SELECT version FROM _sqlx_migrations ORDER BY version")
            .fetch_all(&mut owner)
            .await
            .expect("versions");
    for version in versions {
        let rows = AssertSqlSafe(samples("postgres", version));
        sqlx::raw_sql(rows)
            .execute(&mut owner)
            .await
            .expect("sample rows");
    }
    let tables = sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
         WHERE c.relkind IN ('r', 'p') AND a.attname = 'tenant_id' AND NOT a.attisdropped ORDER BY 1",
    )
    .fetch_all(&mut owner)
    .await
    .expect("tables");
    Server {
        database,
        owner,
        tables,
    }
}

impl Server {
    /// Runs one statement as `tintype_app` for a tenant, and rolls it back. The code of the error, or the rows affected.
    async fn as_app(&mut self, tenant: &str, sql: String) -> Result<u64, String> {
        let mut tx = self.owner.begin().await.expect("begun");
        sqlx::query(
            "SELECT set_config('role', 'tintype_app', true), set_config('app.tenant_id', $1, true)",
        )
        .bind(tenant)
        .execute(&mut *tx)
        .await
        .expect("a role");
        let answer = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *tx).await;
        answer.map(|done| done.rows_affected()).map_err(|error| {
            error
                .as_database_error()
                .and_then(|error| error.code())
                .unwrap_or_default()
                .into_owned()
        })
    }
}

#[tokio::test]
async fn every_table_with_tenants_forces_row_level_security() {
    let mut server = filled().await;
    assert!(server.tables.len() >= 20, "{:?}", server.tables);
    let open: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
         WHERE c.relkind IN ('r', 'p') AND a.attname = 'tenant_id'
             AND NOT (c.relrowsecurity AND c.relforcerowsecurity)",
    )
    .fetch_all(&mut server.owner)
    .await
    .expect("tables");
    assert_eq!(open, Vec::<String>::new());
}

#[tokio::test]
async fn the_roles_of_the_program_own_nothing_and_bypass_nothing() {
    let mut server = filled().await;
    let roles = sqlx::query(
        "SELECT rolname::text, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolcanlogin AS is_mighty,
             EXISTS (SELECT 1 FROM pg_class WHERE relowner = r.oid) AS owns
         FROM pg_roles r WHERE rolname IN ('tintype_app', 'tintype_dispatch') ORDER BY 1",
    )
    .fetch_all(&mut server.owner)
    .await
    .expect("roles");
    let seen: Vec<(String, bool, bool)> = roles
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect();
    let expected = ["tintype_app", "tintype_dispatch"].map(|role| (role.to_owned(), false, false));
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn rows_of_another_tenant_are_invisible() {
    let mut server = filled().await;
    for table in server.tables.clone() {
        let own = format!("SELECT FROM {table} WHERE tenant_id = '{ONE}'");
        let all = format!("SELECT FROM {table}");
        let seen = (
            server.as_app(ONE, own).await,
            server.as_app(ONE, all.clone()).await,
        );
        if table == "outbox" {
            assert_eq!(
                seen,
                (Err(REFUSED.into()), Err(REFUSED.into())),
                "only dispatch may read it"
            );
            continue;
        }
        let (own, all_of_them) = (seen.0.expect("read"), seen.1.expect("read"));
        assert!(own > 0, "{table}");
        assert_eq!(own, all_of_them, "{table}");
        assert_eq!(
            server.as_app("", all).await,
            Ok(0),
            "{table} without a tenant"
        );
    }
}

#[tokio::test]
async fn rows_of_another_tenant_cannot_be_written() {
    let mut server = filled().await;
    for table in server.tables.clone() {
        for sql in [
            format!("UPDATE {table} SET tenant_id = tenant_id WHERE tenant_id = '{OTHER}'"),
            format!("DELETE FROM {table} WHERE tenant_id = '{OTHER}'"),
        ] {
            let answer = server.as_app(ONE, sql.clone()).await;
            assert!(
                answer == Ok(0) || answer == Err(REFUSED.into()),
                "{sql}: {answer:?}"
            );
        }
        let given_away = format!("UPDATE {table} SET tenant_id = '{OTHER}'");
        assert_eq!(
            server.as_app(ONE, given_away).await,
            Err(REFUSED.into()),
            "{table}"
        );
        let row = AssertSqlSafe(format!(
            "SELECT to_jsonb(t)::text FROM {table} t WHERE tenant_id = '{OTHER}' LIMIT 1"
        ));
        let row: String = sqlx::query_scalar(row)
            .fetch_one(&mut server.owner)
            .await
            .expect("a sample row");
        let quoted = row.replace('\'', "''");
        let forged = format!(
            "INSERT INTO {table} SELECT * FROM jsonb_populate_record(NULL::{table}, '{quoted}')"
        );
        assert_eq!(
            server.as_app(ONE, forged).await,
            Err(REFUSED.into()),
            "{table}"
        );
    }
}

#[tokio::test]
async fn a_login_that_owns_nothing_can_work() {
    let mut server = filled().await;
    let login = server.database.name().to_owned();
    let create = AssertSqlSafe(format!(
        "CREATE ROLE {login} LOGIN IN ROLE tintype_app, tintype_dispatch"
    ));
    sqlx::query(create)
        .execute(&mut server.owner)
        .await
        .expect("a login");
    let settings = PostgresSettings {
        connections: FEW,
        ..PostgresSettings::default()
    };
    let store = PostgresStore::connect(&server.database.url_as(&login), settings)
        .await
        .expect("connected");
    let under_test = StoreUnderTest {
        store: std::sync::Arc::new(store.clone()),
        clock: None,
        keep: Box::new(()),
    };
    let world = World::new(under_test).await;
    assert_eq!(
        world
            .store
            .plan(world.tenant, world.plan.id)
            .await
            .expect("read"),
        Some(world.plan.clone())
    );
    assert_eq!(world.store.requeue_all().await.expect("requeued"), 4);
    store.close().await;
    let forget = AssertSqlSafe(format!("DROP ROLE {login}"));
    sqlx::query(forget)
        .execute(&mut server.owner)
        .await
        .expect("dropped");
}
