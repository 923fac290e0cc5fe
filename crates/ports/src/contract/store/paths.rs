//! Mirror paths.

use std::{collections::BTreeSet, sync::Arc};

use futures::future::join_all;

use super::world::{StoreUnderTest, World};
use crate::store::{PathClaim, StoreError};

fn claim(seq: u64, wanted: &str, otherwise: &str) -> PathClaim {
    PathClaim {
        seq,
        wanted: wanted.into(),
        otherwise: otherwise.into(),
    }
}

async fn claimed(world: &World, claims: &[PathClaim]) -> Vec<String> {
    world
        .store
        .claim_paths(world.tenant, world.plan.id, claims)
        .await
        .expect("paths")
}

pub async fn twins_in_case_and_composition_get_different_paths(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let claims = [
        claim(0, "2024/É.JPG", "2024/É~0.JPG"),
        claim(1, "2024/é.jpg", "2024/é~1.jpg"),
        claim(2, "2024/E\u{301}.JPG", "2024/E\u{301}~2.JPG"),
        claim(3, "2025/É.JPG", "2025/É~3.JPG"),
    ];
    let expected = [
        "2024/É.JPG",
        "2024/é~1.jpg",
        "2024/E\u{301}~2.JPG",
        "2025/É.JPG",
    ];
    assert_eq!(claimed(&world, &claims).await, expected);
    let one_by_one = [claim(4, "2024/e\u{301}.jpg", "2024/é~4.jpg")];
    assert_eq!(claimed(&world, &one_by_one).await, ["2024/é~4.jpg"]);
}

pub async fn a_claimed_path_stays_its_items(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let claims = [claim(0, "a.jpg", "a~0.jpg"), claim(1, "a.jpg", "a~1.jpg")];
    assert_eq!(claimed(&world, &claims).await, ["a.jpg", "a~1.jpg"]);
    assert_eq!(
        claimed(&world, &claims).await,
        ["a.jpg", "a~1.jpg"],
        "asked again, answered alike"
    );
    // Its new wish is free; its old path is not given to anybody else, because the old file may still lie there.
    assert_eq!(
        claimed(&world, &[claim(0, "b.jpg", "b~0.jpg")]).await,
        ["b.jpg"]
    );
    assert_eq!(
        claimed(&world, &[claim(2, "a.jpg", "a~2.jpg")]).await,
        ["a~2.jpg"]
    );
    assert_eq!(claimed(&world, &[]).await, Vec::<String>::new());
}

pub async fn claims_at_once_never_share_a_path(under_test: StoreUnderTest) {
    let world = Arc::new(World::new(under_test).await);
    let claimers = (0..8).map(|seq| {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let claims = [claim(seq, "same.jpg", &format!("same~{seq}.jpg"))];
            claimed(&world, &claims).await.remove(0)
        })
    });
    let paths: BTreeSet<String> = join_all(claimers)
        .await
        .into_iter()
        .map(|path| path.expect("no panic"))
        .collect();
    assert_eq!(paths.len(), 8);
    assert!(paths.contains("same.jpg"));
}

pub async fn a_path_is_not_given_when_both_wishes_are_taken(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    claimed(&world, &[claim(0, "a.jpg", "x"), claim(1, "b.jpg", "y")]).await;
    let claims = [claim(2, "c.jpg", "z"), claim(3, "a.jpg", "B.JPG")];
    let refused = world
        .store
        .claim_paths(world.tenant, world.plan.id, &claims)
        .await;
    assert!(
        matches!(refused, Err(StoreError::Conflict(_))),
        "{refused:?}"
    );
    assert_eq!(
        claimed(&world, &[claim(4, "c.jpg", "w")]).await,
        ["c.jpg"],
        "nothing of the refused batch stays"
    );
}
