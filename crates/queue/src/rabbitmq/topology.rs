//! The exchanges and queues of one prefix, and which queue a tenant's messages go to.

use futures::future::try_join_all;
use lapin::{
    Channel, Connection, ExchangeKind, Queue,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable, ShortString},
};
use tintype_model::TenantId;

use super::failure::Failure;

const DELIVERY_LIMIT: i32 = 1_000_000_000;

/// Names of what we declare.
#[derive(Debug)]
pub(super) struct Topology {
    /// The direct exchange that jobs are published to.
    pub(super) jobs: ShortString,
    /// The queues that tenants are spread over; each is bound under its own name.
    pub(super) queues: Vec<ShortString>,
    /// The exchange and the queue of dead letters.
    pub(super) dead: ShortString,
}

impl Topology {
    pub(super) fn new(prefix: &str, queues: u16) -> Self {
        Self {
            jobs: format!("{prefix}.jobs").into(),
            queues: (0..queues)
                .map(|number| format!("{prefix}.jobs.{number}").into())
                .collect(),
            dead: format!("{prefix}.dead").into(),
        }
    }

    /// The queue of a tenant: the first four bytes of the BLAKE3 hash of its UUID's sixteen bytes, as a little-endian
    /// number, modulo the number of queues. The same in every process and every version.
    pub(super) fn queue_of(&self, tenant: TenantId) -> ShortString {
        let hash = blake3::hash(tenant.as_uuid().as_bytes());
        let bytes = hash.as_bytes();
        let number = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
        self.queues[number % self.queues.len()].clone()
    }

    /// Creates what is not there yet. All of it is durable, all queues are quorum queues.
    ///
    /// Deliveries are not limited: our own count of attempts is in the database, and each look at a dead letter is a delivery.
    /// RabbitMQ 4 limits them to 20 unless told otherwise, 3 does not know "unlimited": so the limit is a number that nobody
    /// reaches. What did would become a dead letter through the exchange named here.
    pub(super) async fn declare(&self, connection: &Connection) -> Result<(), Failure> {
        let channel = connection.create_channel().await?;
        for exchange in [&self.jobs, &self.dead] {
            let options = ExchangeDeclareOptions {
                durable: true,
                ..Default::default()
            };
            let declared = channel.exchange_declare(
                exchange.clone(),
                ExchangeKind::Direct,
                options,
                FieldTable::default(),
            );
            declared
                .await
                .map_err(|error| differs("exchange", exchange, error))?;
        }
        let mut arguments = quorum();
        declare_queue(&channel, &self.dead, &self.dead, arguments.clone()).await?;
        let mut insert = |name: &str, value: &ShortString| {
            let value = AMQPValue::LongString(value.as_str().into());
            arguments.insert(name.into(), value);
        };
        insert("x-dead-letter-exchange", &self.dead);
        insert("x-dead-letter-routing-key", &self.dead);
        for queue in &self.queues {
            declare_queue(&channel, queue, &self.jobs, arguments.clone()).await?;
        }
        Ok(())
    }

    /// Looks at all queues of jobs.
    pub(super) async fn look(&self, channel: &Channel) -> Result<Vec<Queue>, Failure> {
        let looks = self.queues.iter().map(|queue| look_at(channel, queue));
        try_join_all(looks).await
    }
}

/// Looks at a queue without creating it.
pub(super) async fn look_at(channel: &Channel, queue: &ShortString) -> Result<Queue, Failure> {
    let options = QueueDeclareOptions {
        passive: true,
        ..Default::default()
    };
    let looked = channel.queue_declare(queue.clone(), options, FieldTable::default());
    Ok(looked.await?)
}

fn quorum() -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert(
        "x-queue-type".into(),
        AMQPValue::LongString("quorum".into()),
    );
    arguments.insert(
        "x-delivery-limit".into(),
        AMQPValue::LongInt(DELIVERY_LIMIT),
    );
    arguments
}

async fn declare_queue(
    channel: &Channel,
    queue: &ShortString,
    exchange: &ShortString,
    arguments: FieldTable,
) -> Result<(), Failure> {
    let options = QueueDeclareOptions {
        durable: true,
        ..Default::default()
    };
    let declared = channel.queue_declare(queue.clone(), options, arguments);
    declared
        .await
        .map_err(|error| differs("queue", queue, error))?;
    let bound = channel.queue_bind(
        queue.clone(),
        exchange.clone(),
        queue.clone(),
        QueueBindOptions::default(),
        FieldTable::default(),
    );
    Ok(bound.await?)
}

fn differs(kind: &str, name: &ShortString, error: lapin::Error) -> Failure {
    let failure = Failure::Broker(error.clone());
    if failure.is_different() {
        Failure::Differs(format!("the {kind} {name}"), error)
    } else {
        failure
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn a_tenant_keeps_its_queue_for_ever_and_tenants_are_spread() {
        let topology = Topology::new("t", 8);
        let queue = |byte| topology.queue_of(TenantId::new(DateTime::UNIX_EPOCH, [byte; 10]));
        // Written down: another answer would move what waits.
        let first: Vec<String> = (0..4).map(|byte| queue(byte).to_string()).collect();
        assert_eq!(first, ["t.jobs.7", "t.jobs.4", "t.jobs.4", "t.jobs.2"]);
        let used: std::collections::BTreeSet<_> =
            (0..100).map(|byte| queue(byte).to_string()).collect();
        assert_eq!(used.len(), 8);
    }
}
