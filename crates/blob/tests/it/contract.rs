//! The contract suite on every root, layout and encryption.

use tintype_ports::contract::archive::run;
use tintype_testkit::s3::S3Server;

use crate::support::Place;

#[tokio::test]
async fn a_local_folder_keeps_the_contract() {
    let place = Place::folder();
    run(place.subject()).await;
}

#[tokio::test]
async fn an_encrypted_local_folder_keeps_the_contract() {
    let place = Place::folder().encrypted();
    run(place.subject()).await;
}

#[tokio::test]
async fn a_mirrored_local_folder_keeps_the_contract() {
    let place = Place::folder().mirrored();
    run(place.subject()).await;
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    let place = Place::memory();
    run(place.subject()).await;
}

#[tokio::test]
async fn encrypted_memory_keeps_the_contract() {
    let place = Place::memory().encrypted();
    run(place.subject()).await;
}

#[tokio::test]
async fn mirrored_memory_keeps_the_contract() {
    let place = Place::memory().mirrored();
    run(place.subject()).await;
}

#[tokio::test]
async fn a_bucket_keeps_the_contract() {
    let server = S3Server::start().await;
    run(Place::bucket(&server, "").subject()).await;
}

#[tokio::test]
async fn an_encrypted_prefix_of_a_bucket_keeps_the_contract() {
    let server = S3Server::start().await;
    run(Place::bucket(&server, "photos/of mine")
        .encrypted()
        .subject())
    .await;
}

#[tokio::test]
async fn a_mirrored_bucket_keeps_the_contract() {
    let server = S3Server::start().await;
    run(Place::bucket(&server, "mirror/").mirrored().subject()).await;
}
