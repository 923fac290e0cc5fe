//! Databases that come fresh and go away.

use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Row as _};
use tintype_testkit::postgres::TestDatabase;
use tintype_testkit::provided;

async fn exists(name: &str) -> bool {
    let mut server = PgConnection::connect(&provided::postgres_url())
        .await
        .expect("the server answers");
    let row = sqlx::query("SELECT count(*) AS found FROM pg_database WHERE datname = $1")
        .bind(name)
        .fetch_one(&mut server)
        .await
        .expect("the catalogue can be read");
    row.get::<i64, _>("found") == 1
}

#[tokio::test]
async fn two_databases_do_not_see_each_other() {
    let (one, other) = tokio::join!(TestDatabase::create(), TestDatabase::create());
    let mut in_one = PgConnection::connect(&one.url()).await.unwrap();
    let mut in_other = PgConnection::connect(&other.url()).await.unwrap();
    sqlx::query("CREATE TABLE photo (id int)")
        .execute(&mut in_one)
        .await
        .unwrap();

    let seen = sqlx::query("SELECT * FROM photo")
        .fetch_all(&mut in_other)
        .await;

    assert!(seen.unwrap_err().to_string().contains("does not exist"));
}

#[tokio::test]
async fn a_closed_database_is_gone() {
    let database = TestDatabase::create().await;
    let name = database.name().to_owned();
    assert!(exists(&name).await);

    database.close().await;

    assert!(!exists(&name).await);
}

#[tokio::test]
async fn a_dropped_database_is_gone_although_a_connection_is_open() {
    let database = TestDatabase::create().await;
    let name = database.name().to_owned();
    let _open = PgConnection::connect(&database.url()).await.unwrap();

    drop(database);

    assert!(!exists(&name).await);
}

#[tokio::test]
async fn another_role_may_connect() {
    let database = TestDatabase::create().await;
    let role = format!("role_of_{}", database.name());
    let mut owner = PgConnection::connect(&database.url()).await.unwrap();
    let create = format!("CREATE ROLE {role} LOGIN");
    sqlx::query(sqlx::AssertSqlSafe(create))
        .execute(&mut owner)
        .await
        .unwrap();

    let mut guest = PgConnection::connect(&database.url_as(&role))
        .await
        .unwrap();
    let row = sqlx::query("SELECT current_user::text")
        .fetch_one(&mut guest)
        .await
        .unwrap();

    assert_eq!(row.get::<String, _>(0), role);
    guest.close().await.unwrap();
    let remove = format!("DROP ROLE {role}");
    sqlx::query(sqlx::AssertSqlSafe(remove))
        .execute(&mut owner)
        .await
        .unwrap();
}
