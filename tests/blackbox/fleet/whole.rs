//! What must hold in the end, whatever was killed.

use std::collections::BTreeMap;

use tintype_testkit::process::{Spawned, Stream};

use super::{
    api::Customer,
    google::{DOWNLOADS_A_DAY, Google, REQUESTS_A_DAY},
};
use crate::{
    catalogue::manifest_in,
    household::{run, text, tintype},
};

/// The archive holds just what Google does, by its manifest; and each object is as it was written.
pub(super) async fn is_whole(google: &Google, customer: &Customer) {
    let manifest = manifest_in(&customer.archive).await;
    let items = google.control.items(&customer.account, 1_000_000);
    let items: BTreeMap<String, u64> = items
        .expect("the account")
        .into_iter()
        .map(|item| {
            let bytes = google.control.expected(&item.id, "d").expect("known");
            (item.id, bytes.map_or(0, |it| it.bytes))
        })
        .collect();
    let held: BTreeMap<String, u64> = manifest
        .into_iter()
        .map(|(id, (_, size))| (id, size))
        .collect();
    assert!(
        held == items,
        "{}: the manifest is not google's library",
        customer.account
    );
    let verified = run(tintype(&["verify", text(&customer.archive)])).await;
    verified.assert_code(0);
}

/// By Google's own count nothing was spent beyond the limits, and nothing was refused.
pub(super) fn nothing_was_overspent(google: &Google) {
    for (project, days) in google.control.quota() {
        for (day, used) in days {
            assert!(used.loads <= DOWNLOADS_A_DAY, "{project} {day}: {used:?}");
            assert!(used.calls <= REQUESTS_A_DAY, "{project} {day}: {used:?}");
            assert_eq!(used.refused, 0, "{project} {day}: google refused calls");
        }
    }
}

/// No secret stands in what a process wrote, nor what the EXIF library says of people's photos.
pub(super) fn no_canary_in_logs<'a>(
    google: &Google,
    processes: impl IntoIterator<Item = &'a Spawned>,
) {
    for process in processes {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let text = process.text(stream);
            no_canary_in(google, "a log", text.as_bytes());
            assert!(!text.contains("nom_exif"), "facts of photos stand in a log");
        }
    }
}

pub(super) fn no_canary_in(google: &Google, place: &str, bytes: &[u8]) {
    for canary in &google.canaries {
        let canary = canary.as_bytes();
        let is_there = bytes.windows(canary.len()).any(|window| window == canary);
        assert!(!is_there, "a secret stands in {place}");
    }
}
