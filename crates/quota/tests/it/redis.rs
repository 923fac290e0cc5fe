//! The counter in Redis keeps the promises of the port.

use tintype_ports::contract::quota::{self, Parts};

use crate::support::Install;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn counters_together_never_exceed_the_limit() {
    let install = Install::on_the_shared_server();
    quota::counters_together_never_exceed_the_limit(|parts: Parts| install.quota(parts)).await;
}

#[tokio::test]
async fn every_unit_of_the_day_can_be_spent() {
    let install = Install::on_the_shared_server();
    quota::every_unit_of_the_day_can_be_spent(|parts: Parts| install.quota(parts)).await;
}

#[tokio::test]
async fn a_crash_costs_units_but_never_overspends() {
    let install = Install::on_the_shared_server();
    quota::a_crash_costs_units_but_never_overspends(|parts: Parts| install.quota(parts)).await;
}

#[tokio::test]
async fn units_given_back_can_be_spent_elsewhere() {
    let install = Install::on_the_shared_server();
    quota::units_given_back_can_be_spent_elsewhere(|parts: Parts| install.quota(parts)).await;
}

#[tokio::test]
async fn a_new_day_begins_with_its_own_units() {
    let install = Install::on_the_shared_server();
    quota::a_new_day_begins_with_its_own_units(|parts: Parts| install.quota(parts)).await;
}

#[tokio::test]
async fn days_of_23_and_25_hours_have_one_limit_each() {
    let install = Install::on_the_shared_server();
    quota::days_of_23_and_25_hours_have_one_limit_each(|parts: Parts| install.quota(parts)).await;
}

#[tokio::test]
async fn a_day_that_google_calls_over_is_over() {
    let install = Install::on_the_shared_server();
    quota::a_day_that_google_calls_over_is_over(|parts: Parts| install.quota(parts)).await;
}

#[tokio::test]
async fn nothing_is_spent_while_the_ledger_fails() {
    let install = Install::on_the_shared_server();
    quota::nothing_is_spent_while_the_ledger_fails(|parts: Parts| install.quota(parts)).await;
}

#[tokio::test]
async fn spending_is_all_or_nothing() {
    let install = Install::on_the_shared_server();
    quota::spending_is_all_or_nothing(|parts: Parts| install.quota(parts)).await;
}

#[tokio::test]
async fn nothing_is_admitted_around_midnight() {
    let install = Install::on_the_shared_server();
    quota::nothing_is_admitted_around_midnight(|parts: Parts| install.quota(parts)).await;
}

#[tokio::test]
async fn projects_and_kinds_are_counted_apart() {
    let install = Install::on_the_shared_server();
    quota::projects_and_kinds_are_counted_apart(|parts: Parts| install.quota(parts)).await;
}
