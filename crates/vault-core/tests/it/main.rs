//! The vault on both of its databases, against a token endpoint that counts and a key service that can be broken.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests may panic as the tests themselves do"
)]

/// Each of these tests runs on SQLite and on PostgreSQL.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                super::$name(crate::support::Place::in_a_file()).await;
            }
        )*}
        mod on_postgres {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                super::$name(crate::support::Place::on_a_server().await).await;
            }
        )*}
    };
}

mod audit;
mod deaths;
mod logging;
mod migrations;
mod promises;
mod replicas;
mod rotation;
mod sealing;
mod starting;
mod support;
mod tokens;
mod transit;
mod transit_server;
