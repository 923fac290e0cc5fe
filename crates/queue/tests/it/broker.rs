//! A queue on a virtual host of the test's own.

use std::{sync::Arc, time::Duration};

use chrono::DateTime;
use tintype_model::{ShardId, TenantId};
use tintype_ports::{Queue, queue::JobMessage};
use tintype_queue::{RabbitQueue, RabbitSettings};
use tintype_runtime::{SystemClock, SystemEntropy};
use tintype_testkit::rabbitmq::TestVhost;

/// On a busy machine a broker may take long; a test that hangs fails all the same.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Broker {
    pub(crate) vhost: TestVhost,
}

impl Broker {
    /// On the broker that all tests share.
    pub(crate) async fn shared() -> Self {
        let vhost = TestVhost::create().await;
        Self { vhost }
    }

    /// The test's queue, as the port.
    pub(crate) async fn queue(&self, capacity: usize) -> Arc<dyn Queue> {
        Arc::new(connect(settings(self.vhost.url(), capacity)).await)
    }

    /// The test's queue.
    pub(crate) async fn rabbit(&self) -> RabbitQueue {
        connect(settings(self.vhost.url(), 100_000)).await
    }

    /// A connection beside the adapter's, to do what the adapter would not.
    pub(crate) async fn bystander(&self) -> lapin::Channel {
        let connection = lapin::Connection::connect(self.vhost.url(), Default::default());
        let connection = connection.await.expect("a connection");
        connection.create_channel().await.expect("a channel")
    }
}

pub(crate) fn settings(url: &str, capacity: usize) -> RabbitSettings {
    let mut settings = RabbitSettings::new(url.into(), "test");
    settings.capacity = capacity;
    settings.queues = 4;
    settings
}

/// Connected, with everything declared.
pub(crate) async fn connect(settings: RabbitSettings) -> RabbitQueue {
    let queue = start(settings);
    queue.ready(PATIENCE).await.expect("a broker");
    queue
}

pub(crate) fn start(settings: RabbitSettings) -> RabbitQueue {
    RabbitQueue::connect(settings, Arc::new(SystemClock), Arc::new(SystemEntropy))
        .expect("good settings")
}

/// One of many messages of a tenant.
pub(crate) fn job(tenant: u8, number: u32) -> JobMessage {
    let mut shard = [0; 10];
    shard[..4].copy_from_slice(&number.to_be_bytes());
    JobMessage {
        tenant: TenantId::new(DateTime::UNIX_EPOCH, [tenant; 10]),
        shard: ShardId::new(DateTime::UNIX_EPOCH, shard),
        trace: None,
    }
}

/// An error with all of its causes.
pub(crate) fn story(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.join(": ")
}
