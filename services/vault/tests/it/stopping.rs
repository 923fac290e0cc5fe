//! Two stages: what is at hand is finished, then it is cut.

use std::sync::{Arc, atomic::Ordering};

use tintype_ports::{
    Vault as _,
    contract::vault::{storage, tenant},
};

use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::{
    keeper::SwitchedKeeper,
    world::{PATIENCE, Running, World, until},
};

/// A vault at which one call hangs.
async fn busy(
    world: &World,
) -> (
    Running,
    Arc<SwitchedKeeper>,
    tokio::task::JoinHandle<Result<(), String>>,
) {
    let keeper = world.keeper().await;
    let server = world.serve(keeper.clone()).await;
    let mut settings = world.client_settings("worker", &server.address.to_string());
    settings.attempts = 1;
    let client = world.client_with("worker", &settings);
    keeper.holds.store(true, Ordering::SeqCst);
    let call = tokio::spawn(async move {
        let answer = client.describe(tenant(1), storage(1)).await;
        answer.map(drop).map_err(|error| error.to_string())
    });
    let watched = keeper.clone();
    until("the call is at the keeper", async || watched.calls() == 1).await;
    (server, keeper, call)
}

#[tokio::test]
async fn a_vault_that_drains_finishes_what_is_at_hand_and_takes_nothing_new() {
    let world = World::new();
    let (server, keeper, call) = busy(&world).await;
    server.life.drain();
    let mut settings = world.client_settings("scheduler", &server.address.to_string());
    settings.attempts = 1;
    until("new connections are refused", async || {
        let latecomer = world.client_with("scheduler", &settings);
        latecomer.describe(tenant(1), storage(1)).await.is_err()
    })
    .await;
    assert!(!server.task.is_finished());
    keeper.release.add_permits(100);
    call.await.unwrap().unwrap();
    let ended = tokio::time::timeout(PATIENCE, server.task).await;
    ended.expect("a drained vault ends").unwrap().unwrap();
}

#[tokio::test]
async fn a_vault_that_is_stopped_cuts_what_is_at_hand() {
    let world = World::new();
    let (server, _keeper, call) = busy(&world).await;
    server.stop().await;
    call.await.unwrap().unwrap_err();
}

#[tokio::test]
async fn those_who_watch_the_health_hear_the_end_and_do_not_hold_it_up() {
    let world = World::new();
    let server = world.serve(world.keeper().await).await;
    let mut client = HealthClient::new(world.channel("scheduler", server.address));
    let asked = HealthCheckRequest {
        service: "tintype.vault.v1.Vault".to_owned(),
    };
    let mut watch = client.watch(asked).await.unwrap().into_inner();
    let mut heard = Vec::new();
    while let Some(answer) = watch.message().await.unwrap() {
        heard.push(answer.status());
        if answer.status() == ServingStatus::Serving {
            server.life.drain();
        }
    }
    assert_eq!(heard.last(), Some(&ServingStatus::NotServing), "{heard:?}");
    let ended = tokio::time::timeout(PATIENCE, server.task).await;
    ended.expect("a drained vault ends").unwrap().unwrap();
}
