//! What every catalogue promises. [`store_contract!`](crate::store_contract) makes one test of each promise for an adapter.

#![expect(missing_docs, reason = "a promise says in its own name what it proves")]

pub mod album_parts;
pub mod albums;
pub mod answers;
pub mod doubts;
pub mod fleet;
pub mod holders;
pub mod isolation;
pub mod items;
pub mod ledger;
pub mod originals;
pub mod outcomes;
pub mod paths;
pub mod picks;
pub mod runs;
pub mod scheduling;
pub mod setup;
pub mod shards;
pub mod snapshots;
pub mod uploads;
pub mod warnings;
mod world;

pub use world::{StoreUnderTest, World};

/// One test a promise. `$make` is an async function that makes an empty
/// [`StoreUnderTest`](crate::contract::store::StoreUnderTest).
#[macro_export]
macro_rules! store_contract {
    ($make:path) => {
        $crate::store_contract! { @tests $make;
            setup::a_tenant_is_found_by_id_and_by_name
            setup::a_second_tenant_with_one_id_is_refused
            setup::storages_are_listed_by_name_and_changed_in_place
            setup::a_name_is_taken_once_a_tenant
            setup::a_storage_that_a_plan_uses_cannot_be_removed
            setup::a_plan_needs_storages_of_its_own_tenant
            setup::plans_are_found_by_name_and_by_source
            setup::a_plan_of_each_kind_is_read_back
            setup::a_storage_takes_its_journal_along
            runs::a_plan_has_one_unfinished_run
            runs::of_many_starts_at_once_one_wins
            runs::a_status_changes_only_from_the_expected_state
            runs::a_final_state_ends_the_run_and_its_leases
            runs::runs_are_listed_newest_first
            runs::progress_is_the_sum_of_all_shards
            shards::a_ready_shard_is_leased_and_done_once
            shards::of_two_leasers_one_is_granted
            shards::a_lease_that_expired_is_granted_again_with_a_later_epoch
            shards::an_expired_lease_that_nobody_took_is_still_the_holders
            shards::a_stale_epoch_is_refused
            shards::a_renewed_lease_outlives_its_first_time
            shards::renewal_tells_the_state_of_the_run
            shards::renewal_tells_how_the_tenants_transfers_are_spread
            shards::a_run_that_rests_grants_no_lease
            shards::a_shard_that_is_to_wait_waits
            shards::the_last_shard_adds_the_next_one
            shards::of_shards_that_finish_at_once_exactly_one_adds_the_next
            items::a_page_is_read_back_whole
            items::a_known_item_keeps_its_position
            items::new_metadata_leaves_stored_bytes_alone
            items::new_content_waits_while_the_old_bytes_stay
            items::an_item_shown_twice_in_a_page_counts_once
            items::a_position_is_never_given_twice
            items::a_page_of_a_stale_lease_changes_nothing
            outcomes::what_is_recorded_is_read_back
            outcomes::a_batch_recorded_twice_has_one_effect
            outcomes::items_of_another_shard_are_not_recorded
            outcomes::newer_bytes_take_the_place_of_older_ones
            outcomes::items_wait_in_shards_of_their_own_write
            outcomes::gone_items_come_back
            outcomes::leftovers_are_what_no_open_shard_will_do
            outcomes::pages_of_items_follow_each_other
            items::a_checkpoint_replaces_the_one_before
            outcomes::any_text_survives
            outcomes::a_thousand_items_go_in_one_page
            albums::albums_keep_their_order_and_their_last_facts
            albums::members_are_replaced_from_a_position_on
            albums::an_album_that_is_gone_takes_its_members_along
            paths::twins_in_case_and_composition_get_different_paths
            paths::a_claimed_path_stays_its_items
            paths::claims_at_once_never_share_a_path
            paths::a_path_is_not_given_when_both_wishes_are_taken
            picks::a_run_of_picks_is_read_back_as_one
            picks::picked_items_are_found_among_others_in_pages
            picks::the_last_word_on_a_rendition_stands
            picks::items_are_read_by_position
            originals::a_mark_is_set_with_its_proxy_and_only_moves_on
            originals::a_mark_and_its_shard_are_written_together_or_not_at_all
            originals::an_original_takes_the_place_of_what_is_stored_and_waits_for_nothing
            originals::no_other_shard_replaces_what_is_stored
            originals::a_stale_lease_replaces_nothing_and_moves_no_mark
            originals::a_mark_that_moves_is_work_that_gets_done
            originals::originals_go_last_and_are_told_by_their_kind
            snapshots::the_newest_snapshot_is_found
            snapshots::a_snapshot_recorded_twice_is_one
            snapshots::an_older_snapshot_can_be_kept
            snapshots::a_stale_lease_records_no_snapshot
            uploads::what_was_sent_is_read_back
            uploads::bytes_sent_again_replace_a_token_but_never_an_item
            uploads::a_call_is_recorded_with_the_items_it_was_for
            uploads::a_call_is_recorded_whole_or_not_at_all
            uploads::items_that_others_made_are_journalled
            uploads::bytes_that_are_forgotten_can_be_sent_anew
            uploads::a_stale_lease_journals_nothing
            uploads::ids_that_the_account_gave_are_found_by_item
            doubts::doubts_are_listed_in_pages_and_settled_by_name
            doubts::twins_are_noted_once_and_come_in_pages
            doubts::ids_of_items_and_twins_are_known
            doubts::tenants_have_journals_of_their_own
            doubts::strange_names_survive
            doubts::a_thousand_uploads_go_in_one_call
            doubts::writers_to_one_journal_do_not_block_each_other
            album_parts::a_part_is_noted_before_it_is_made
            album_parts::parts_of_an_album_grow_with_what_is_recorded
            album_parts::plans_have_albums_of_their_own
            album_parts::strange_names_of_albums_survive
            scheduling::the_backlog_counts_what_can_be_worked_on
            scheduling::listings_and_manifests_go_first
            scheduling::a_shard_dispatched_twice_is_sent_once
            scheduling::of_two_dispatchers_one_sends
            scheduling::confirmed_messages_leave_the_outbox
            scheduling::what_is_overdue_returns_to_the_backlog
            scheduling::a_live_lease_is_not_lost
            holders::what_was_leased_last_is_asked_back_first
            holders::a_shard_that_was_asked_back_waits_with_what_is_left
            scheduling::at_start_everything_is_ready
            scheduling::runs_resume_when_their_time_has_come
            scheduling::a_pausing_run_is_drained_without_live_leases
            scheduling::the_next_event_is_the_earliest
            fleet::a_named_lease_has_one_holder
            fleet::a_named_lease_passes_on_when_dropped_or_expired
            fleet::workers_count_while_they_report
            fleet::a_shard_whose_workers_vanish_is_set_aside
            fleet::the_reconciler_counts_vanished_workers_too
            fleet::failures_are_forgotten_once_work_gets_done
            fleet::a_shard_that_is_set_aside_is_nobodys
            fleet::leases_and_open_runs_are_listed
            fleet::a_due_plan_is_moved_on_once
            fleet::tenants_and_plans_are_listed_and_changed
            fleet::runs_of_a_tenant_are_paged_newest_first
            fleet::runs_are_picked_by_plan_and_state
            fleet::a_change_of_what_was_changed_meanwhile_is_refused
            setup::storages_and_plans_come_in_pages
            outcomes::failures_are_listed_with_their_reasons
            answers::a_call_that_is_repeated_gets_the_first_answer
            answers::of_many_equal_calls_at_once_one_is_made
            answers::a_call_without_an_answer_passes_on
            answers::answers_are_forgotten_in_time
            warnings::storages_of_all_tenants_are_looked_through_in_pages
            warnings::a_warning_is_recorded_once
            warnings::of_two_who_warn_one_is_recorded
            ledger::units_are_leased_up_to_the_limit
            ledger::many_tasks_never_lease_more_than_the_limit
            ledger::units_that_are_returned_can_be_leased_again
            ledger::an_exhausted_day_stays_exhausted
            ledger::days_kinds_and_projects_are_apart
            isolation::nothing_of_another_tenant_is_found
            isolation::a_lease_of_another_tenant_changes_nothing
        }
    };
    (@tests $make:path; $($suite:ident :: $promise:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                $crate::contract::store::$suite::$promise($make().await).await;
            }
        )*
    };
}
