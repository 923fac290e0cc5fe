//! A virtual host of a test's own on the shared broker.

use tintype_servers::Management;

use crate::{clean_up, provided, seed};

/// An empty virtual host, removed with this value: its queues go, its connections are closed.
#[derive(Debug)]
pub struct TestVhost {
    name: String,
    url: String,
    management: Management,
}

impl TestVhost {
    /// Creates a virtual host with a random name on the broker of [`provided::rabbitmq_url`].
    ///
    /// # Panics
    /// When the broker or its management is not provided, or does not answer.
    pub async fn create() -> Self {
        let management = Management::at(&provided::rabbitmq_management_url())
            .unwrap_or_else(|error| panic!("TINTYPE_TEST_RABBITMQ_MANAGEMENT_URL: {error}"));
        Self::create_on(&provided::rabbitmq_url(), management).await
    }

    /// Creates one on another broker, such as a private one.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn create_on(broker: &str, management: Management) -> Self {
        let name = format!("tintype-test-{:016x}", seed::entropy());
        management
            .create_vhost(&name)
            .await
            .unwrap_or_else(|error| panic!("cannot create a virtual host: {error:#}"));
        let url = format!("{}/{name}", broker.trim_end_matches('/'));
        Self {
            name,
            url,
            management,
        }
    }

    /// Its name, which needs no escaping.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The AMQP URL of it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The management interface of the broker.
    #[must_use]
    pub fn management(&self) -> &Management {
        &self.management
    }
}

impl Drop for TestVhost {
    fn drop(&mut self) {
        let (management, name) = (self.management.clone(), self.name.clone());
        clean_up::now(&format!("the virtual host {}", self.name), async move {
            let deleted = management.delete_vhost(&name).await;
            deleted.map_err(|error| format!("{error:#}"))
        });
    }
}
