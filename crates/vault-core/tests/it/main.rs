//! The vault on a real database file, against a token endpoint that counts.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests may panic as the tests themselves do"
)]

mod audit;
mod rotation;
mod sealing;
mod support;
mod tokens;

use std::sync::Arc;

use support::Place;
use tintype_ports::{Vault, contract::vault::suite};

#[tokio::test]
async fn the_vault_keeps_every_promise_of_its_port() {
    let place = Place::new();
    let number = std::sync::atomic::AtomicU32::new(0);
    suite(async |google, clock| {
        let name = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let vault = place.open_named(&format!("{name}.db"), google, clock).await;
        Arc::new(vault) as Arc<dyn Vault>
    })
    .await;
}
