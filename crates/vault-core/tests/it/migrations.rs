//! Migrations are replayed step by step on sample rows, and a vault of the first step goes on working.

use std::{collections::BTreeSet, fs, path::PathBuf};

use sqlx::{
    AssertSqlSafe,
    migrate::Migrator,
    postgres::PgPool,
    sqlite::{SqlitePool, SqlitePoolOptions},
};
use tintype_testkit::postgres::TestDatabase;

static POSTGRES: Migrator = sqlx::migrate!("../../migrations/vault/postgres");
static SQLITE: Migrator = sqlx::migrate!("../../migrations/vault/sqlite");

fn folder(engine: &str) -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../migrations/vault"
    ))
    .join(engine)
}

fn samples(engine: &str, version: i64) -> String {
    let path = folder(engine).join(format!("samples/{version:04}.sql"));
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{} is needed: {error}", path.display()))
}

fn steps(engine: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(folder(engine)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| name.ends_with(".sql")).collect()
}

#[test]
fn both_engines_have_the_same_steps() {
    let steps_of_sqlite = steps("sqlite");
    assert_eq!(steps_of_sqlite, steps("postgres"));
    assert_eq!(steps_of_sqlite.len(), SQLITE.iter().count());
}

const LEFT: &str =
    "SELECT (SELECT COUNT(*) FROM vault_tenant), (SELECT COUNT(*) FROM credential WHERE failures = 0),
            (SELECT COUNT(*) FROM credential WHERE access_token IS NOT NULL),
            (SELECT COUNT(*) FROM signing_key), (SELECT COUNT(*) FROM audit_entry)";

#[tokio::test]
async fn sqlite_migrates_its_samples_step_by_step() {
    let pool: SqlitePool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect("sqlite::memory:")
        .await
        .unwrap();
    for step in SQLITE.iter() {
        SQLITE.run_to(step.version, &pool).await.unwrap();
        let rows = AssertSqlSafe(samples("sqlite", step.version));
        sqlx::raw_sql(rows).execute(&pool).await.unwrap();
    }
    let left: (i64, i64, i64, i64, i64) = sqlx::query_as(LEFT).fetch_one(&pool).await.unwrap();
    assert_eq!(left, (1, 1, 1, 1, 1));
    pool.close().await;
}

#[tokio::test]
async fn postgres_migrates_its_samples_step_by_step() {
    let database = TestDatabase::create().await;
    let pool = PgPool::connect(&database.url()).await.unwrap();
    for step in POSTGRES.iter() {
        POSTGRES.run_to(step.version, &pool).await.unwrap();
        let rows = AssertSqlSafe(samples("postgres", step.version));
        sqlx::raw_sql(rows).execute(&pool).await.unwrap();
    }
    let left: (i64, i64, i64, i64, i64) = sqlx::query_as(LEFT).fetch_one(&pool).await.unwrap();
    assert_eq!(left, (1, 1, 1, 1, 1));
    pool.close().await;
    database.close().await;
}
