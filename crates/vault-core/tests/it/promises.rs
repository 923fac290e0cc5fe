//! The contract of the port.

use std::sync::Arc;

use tintype_ports::{
    Vault, VaultKeeper,
    contract::vault::{keeper_suite, suite},
};
use tokio::sync::Mutex;

use crate::support::Place;

on_both!(
    the_vault_keeps_every_promise_to_its_users,
    the_vault_keeps_every_promise_to_its_keepers,
);

async fn the_vault_keeps_every_promise_to_its_users(place: Place) {
    let place = Mutex::new(place);
    suite(async |google, clock| {
        let vault = place.lock().await.open_empty(google, clock).await;
        Arc::new(vault) as Arc<dyn Vault>
    })
    .await;
}

async fn the_vault_keeps_every_promise_to_its_keepers(place: Place) {
    let place = Mutex::new(place);
    keeper_suite(async |google, clock| {
        let vault = place.lock().await.open_empty(google, clock).await;
        Arc::new(vault) as Arc<dyn VaultKeeper>
    })
    .await;
}
