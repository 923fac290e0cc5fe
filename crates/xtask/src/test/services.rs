//! The servers that all tests share: PostgreSQL, RabbitMQ and Redis.

use std::ffi::OsString;

use anyhow::Result;
use tintype_servers::{Apt, Durability, Postgres, RabbitMq, Redis};

use super::Environment;
use crate::console;

/// Running servers; dropping them ends them.
pub(crate) struct Services {
    postgres: Postgres,
    rabbitmq: RabbitMq,
    redis: Redis,
}

impl Services {
    /// Starts all of them side by side.
    ///
    /// # Errors
    /// When one of them cannot be installed or started.
    pub(crate) async fn start(apt: &Apt) -> Result<Self> {
        let (postgres, rabbitmq, redis) = tokio::try_join!(
            Postgres::start(apt, Durability::None),
            RabbitMq::start(apt),
            Redis::start(apt),
        )?;
        console::step(&format!(
            "PostgreSQL on port {}, RabbitMQ on {}, Redis on {}",
            postgres.port(),
            rabbitmq.port(),
            redis.port()
        ));
        Ok(Self {
            postgres,
            rabbitmq,
            redis,
        })
    }

    /// Where they are, as `tintype_testkit::provided` reads it.
    pub(crate) fn environment(&self) -> Environment {
        let variables: [(&'static str, OsString); 4] = [
            ("TINTYPE_TEST_POSTGRES_URL", self.postgres.url().into()),
            ("TINTYPE_TEST_RABBITMQ_URL", self.rabbitmq.url().into()),
            (
                "TINTYPE_TEST_RABBITMQ_MANAGEMENT_URL",
                self.rabbitmq.management().url().into(),
            ),
            ("TINTYPE_TEST_REDIS_URL", self.redis.url().into()),
        ];
        variables.into()
    }
}

/// `cargo xtask services`: starts the servers, prints the variables on stdout, and waits to be interrupted.
pub(crate) async fn run() -> Result<()> {
    let services = Services::start(&Apt::telling(console::step)).await?;
    for (name, value) in services.environment() {
        println!("export {name}={}", value.to_string_lossy());
    }
    console::step("running until Ctrl-C");
    std::future::pending().await
}
