//! The counter in memory keeps the promises of the port.

use std::sync::Arc;

use tintype_ports::{
    Quota,
    contract::quota::{self, Parts},
};
use tintype_quota::MemoryQuota;

async fn memory(parts: Parts) -> Arc<dyn Quota> {
    let limits = parts.limits;
    Arc::new(MemoryQuota::new(
        parts.ledger,
        Arc::new(move |_| limits),
        parts.clock,
    ))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn counters_together_never_exceed_the_limit() {
    quota::counters_together_never_exceed_the_limit(memory).await;
}

#[tokio::test]
async fn every_unit_of_the_day_can_be_spent() {
    quota::every_unit_of_the_day_can_be_spent(memory).await;
}

#[tokio::test]
async fn a_crash_costs_units_but_never_overspends() {
    quota::a_crash_costs_units_but_never_overspends(memory).await;
}

#[tokio::test]
async fn units_given_back_can_be_spent_elsewhere() {
    quota::units_given_back_can_be_spent_elsewhere(memory).await;
}

#[tokio::test]
async fn a_new_day_begins_with_its_own_units() {
    quota::a_new_day_begins_with_its_own_units(memory).await;
}

#[tokio::test]
async fn days_of_23_and_25_hours_have_one_limit_each() {
    quota::days_of_23_and_25_hours_have_one_limit_each(memory).await;
}

#[tokio::test]
async fn a_day_that_google_calls_over_is_over() {
    quota::a_day_that_google_calls_over_is_over(memory).await;
}

#[tokio::test]
async fn nothing_is_spent_while_the_ledger_fails() {
    quota::nothing_is_spent_while_the_ledger_fails(memory).await;
}

#[tokio::test]
async fn spending_is_all_or_nothing() {
    quota::spending_is_all_or_nothing(memory).await;
}

#[tokio::test]
async fn nothing_is_admitted_around_midnight() {
    quota::nothing_is_admitted_around_midnight(memory).await;
}

#[tokio::test]
async fn projects_and_kinds_are_counted_apart() {
    quota::projects_and_kinds_are_counted_apart(memory).await;
}

#[tokio::test]
async fn a_crowd_asks_the_ledger_once_a_block() {
    let (parts, ledger, _) = Parts::new(quota::MORNING, 10_000);
    let quota = memory(parts).await;
    let spends = (0..200).map(|_| quota::spend_one(&quota));
    assert!(
        futures::future::join_all(spends)
            .await
            .into_iter()
            .all(|spent| spent)
    );
    assert_eq!(ledger.leases(), 1);
}
