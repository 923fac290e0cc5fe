//! Google's token endpoint. Only the vault calls it. Trading a sign-in's code for tokens belongs beside `refresh`.

mod refresh;

use std::sync::Arc;

use reqwest::Client;
use tintype_ports::clock::Entropy;

use crate::settings::GoogleSettings;

/// Google's OAuth endpoints.
#[derive(Debug, Clone)]
pub struct GoogleOAuth {
    client: Client,
    settings: Arc<GoogleSettings>,
    entropy: Arc<dyn Entropy>,
}

impl GoogleOAuth {
    /// `client` must follow no redirects, as those of `tintype-runtime` do.
    #[must_use]
    pub fn new(client: Client, settings: GoogleSettings, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            client,
            settings: Arc::new(settings),
            entropy,
        }
    }
}
