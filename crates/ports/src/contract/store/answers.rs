//! Answers to calls with an idempotency key.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use tintype_model::{BlobHash, TenantId};

use super::world::{LONG, SHORT, StoreUnderTest, World};
use crate::store::{CallClaim, KeptAnswer, KeyedCall};

fn call(tenant: Option<TenantId>, question: &str) -> KeyedCall {
    KeyedCall {
        tenant,
        key: "key-1".into(),
        fingerprint: BlobHash::of(question.as_bytes()),
    }
}

fn answer(text: &str) -> KeptAnswer {
    KeptAnswer {
        status: 201,
        headers: vec![("etag".into(), "\"1\"".into())],
        body: text.into(),
    }
}

async fn claim(world: &World, call: &KeyedCall, patience: Duration, keep: Duration) -> CallClaim {
    let claim = world.store.claim_call(call, patience, keep).await;
    claim.expect("an answer")
}

pub async fn a_call_that_is_repeated_gets_the_first_answer(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    for tenant in [Some(world.tenant), None] {
        let first = call(tenant, "make it");
        let claimed = claim(&world, &first, LONG, LONG).await;
        assert_eq!(claimed, CallClaim::Yours { epoch: 1 });
        let again = claim(&world, &first, LONG, LONG).await;
        assert_eq!(again, CallClaim::UnderWay);
        let kept = world.store.keep_answer(&first, 1, &answer("{}")).await;
        assert!(kept.expect("kept"));
        let again = claim(&world, &first, LONG, LONG).await;
        assert_eq!(again, CallClaim::Done(answer("{}")));
        let other = claim(&world, &call(tenant, "make two"), LONG, LONG).await;
        assert_eq!(other, CallClaim::Other);
    }
    let neighbour = world.neighbour("next door").await;
    let theirs = call(Some(neighbour.tenant), "make it");
    let claimed = claim(&world, &theirs, LONG, LONG).await;
    assert_eq!(claimed, CallClaim::Yours { epoch: 1 });
}

pub async fn of_many_equal_calls_at_once_one_is_made(under_test: StoreUnderTest) {
    let world = Arc::new(World::new(under_test).await);
    let calls = (0..16).map(|_| {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let call = call(Some(world.tenant), "make it");
            claim(&world, &call, LONG, LONG).await
        })
    });
    let claims: Vec<_> = join_all(calls).await;
    let claims = claims.into_iter().map(|it| it.expect("no panic"));
    let (won, lost): (Vec<_>, Vec<_>) =
        claims.partition(|it| matches!(it, CallClaim::Yours { .. }));
    assert_eq!(won.len(), 1);
    assert!(lost.iter().all(|it| *it == CallClaim::UnderWay), "{lost:?}");
}

pub async fn a_call_without_an_answer_passes_on(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let it = call(Some(world.tenant), "make it");
    let (store, first) = (&world.store, claim(&world, &it, SHORT, LONG).await);
    assert_eq!(first, CallClaim::Yours { epoch: 1 });
    world.pass(SHORT * 2).await;
    let second = claim(&world, &it, LONG, LONG).await;
    assert_eq!(second, CallClaim::Yours { epoch: 2 });
    let late = store.keep_answer(&it, 1, &answer("late")).await;
    assert!(!late.expect("an answer"), "the claim had passed on");
    store.drop_call(&it, 1).await.expect("nothing to drop");
    assert_eq!(claim(&world, &it, LONG, LONG).await, CallClaim::UnderWay);
    store.drop_call(&it, 2).await.expect("dropped");
    let third = claim(&world, &it, LONG, LONG).await;
    assert_eq!(third, CallClaim::Yours { epoch: 1 });
}

pub async fn answers_are_forgotten_in_time(under_test: StoreUnderTest) {
    let world = World::new(under_test).await;
    let it = call(Some(world.tenant), "make it");
    claim(&world, &it, SHORT, SHORT).await;
    let kept = world.store.keep_answer(&it, 1, &answer("{}")).await;
    assert!(kept.expect("kept"));
    world.pass(SHORT * 2).await;
    let others = world.store.forget_answers(None).await;
    assert_eq!(others.expect("forgotten"), 0);
    let other = call(Some(world.tenant), "make two");
    let claimed = claim(&world, &other, LONG, SHORT).await;
    assert_eq!(claimed, CallClaim::Yours { epoch: 2 });
    world.pass(SHORT * 2).await;
    let own = world.store.forget_answers(Some(world.tenant)).await;
    assert_eq!(own.expect("forgotten"), 1);
}
