//! Migrations are replayed step by step on sample rows: a later one proves itself on what an earlier one left.

use std::{collections::BTreeSet, fs, path::PathBuf};

use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, SqliteConnection,
    migrate::Migrator,
    postgres::PgPool,
    sqlite::{SqlitePool, SqlitePoolOptions},
};
use tintype_testkit::postgres::TestDatabase;

static POSTGRES: Migrator = sqlx::migrate!("../../migrations/postgres");
static SQLITE: Migrator = sqlx::migrate!("../../migrations/sqlite");

fn folder(engine: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations")).join(engine)
}

/// The sample rows of one step.
pub(crate) fn samples(engine: &str, version: i64) -> String {
    let path = folder(engine).join(format!("samples/{version:04}.sql"));
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{} is needed: {error}", path.display()))
}

fn steps(engine: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(folder(engine)).expect("a folder");
    let names = entries.map(|entry| {
        entry
            .expect("an entry")
            .file_name()
            .to_string_lossy()
            .into_owned()
    });
    names.filter(|name| name.ends_with(".sql")).collect()
}

#[test]
fn both_engines_have_the_same_steps() {
    let steps_of_sqlite = steps("sqlite");
    assert_eq!(steps_of_sqlite, steps("postgres"));
    assert_eq!(steps_of_sqlite.len(), SQLITE.iter().count());
}

#[tokio::test]
async fn sqlite_migrates_its_samples_step_by_step() {
    let pool: SqlitePool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect("sqlite::memory:")
        .await
        .expect("a database");
    for step in SQLITE.iter() {
        SQLITE.run_to(step.version, &pool).await.expect("a step");
        let rows = AssertSqlSafe(samples("sqlite", step.version));
        sqlx::raw_sql(rows)
            .execute(&pool)
            .await
            .expect("sample rows");
    }
    let mut connection: SqliteConnection = pool.acquire().await.expect("a connection").detach();
    let broken: Vec<(String,)> = sqlx::query_as("SELECT \"table\" FROM pragma_foreign_key_check")
        .fetch_all(&mut connection)
        .await
        .expect("a check");
    assert_eq!(broken, []);
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_sqlx%'",
    )
    .fetch_all(&mut connection)
    .await
    .expect("tables");
    for table in tables {
        let count = AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
        let rows: i64 = sqlx::query_scalar(count)
            .fetch_one(&mut connection)
            .await
            .expect("a count");
        assert!(rows > 0, "{table} has no sample rows");
    }
    connection.close().await.expect("closed");
}

#[tokio::test]
async fn postgres_migrates_its_samples_step_by_step() {
    let database = TestDatabase::create().await;
    let pool = PgPool::connect(&database.url()).await.expect("a database");
    for step in POSTGRES.iter() {
        POSTGRES.run_to(step.version, &pool).await.expect("a step");
        let rows = AssertSqlSafe(samples("postgres", step.version));
        sqlx::raw_sql(rows)
            .execute(&pool)
            .await
            .expect("sample rows");
    }
    let mut connection: PgConnection = pool.acquire().await.expect("a connection").detach();
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
             AND relname NOT LIKE '\\_sqlx%'",
    )
    .fetch_all(&mut connection)
    .await
    .expect("tables");
    for table in tables {
        let count = AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
        let rows: i64 = sqlx::query_scalar(count)
            .fetch_one(&mut connection)
            .await
            .expect("a count");
        assert!(rows > 0, "{table} has no sample rows");
    }
    connection.close().await.expect("closed");
    pool.close().await;
    database.close().await;
}
