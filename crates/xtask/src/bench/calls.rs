//! What was asked of Google, as the emulator counted it.

use serde_json::Value;

/// Kinds of calls that no quota counts: sign-in and connections.
const FREE: [&str; 6] = [
    "connect",
    "token",
    "consent",
    "revoke",
    "user_info",
    "discovery",
];

/// Calls that reached the emulator since it was last asked to forget them.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls(Value);

impl Calls {
    /// Those of a summary of the ledger.
    pub(super) fn told_by(summary: Value) -> Self {
        Self(summary)
    }

    /// Calls of all these kinds together, whatever came of them.
    pub(super) fn of(&self, kinds: &[&str]) -> u64 {
        let count = |kind: &&str| self.0["calls"][*kind].as_u64().unwrap_or(0);
        kinds.iter().map(count).sum()
    }

    /// Pages of listings, searches and albums.
    pub(super) fn listings(&self) -> u64 {
        self.of(&["list_items", "search", "list_albums"])
    }

    /// Bytes asked for: every GET of a base URL.
    pub(super) fn downloads(&self) -> u64 {
        self.of(&["download"])
    }

    /// Access tokens issued, or refused.
    pub(super) fn tokens(&self) -> u64 {
        self.of(&["token"])
    }

    /// Base URLs fetched anew.
    pub(super) fn batch_gets(&self) -> u64 {
        self.of(&["batch_get"])
    }

    /// Calls that Google counts: API calls and loads, without sign-in and connections.
    pub(super) fn counted(&self) -> u64 {
        self.listings() + self.downloads() + self.batch_gets() + self.of(&["get_item", "get_album"])
    }

    /// Items that were served whole at least once.
    pub(super) fn items_served(&self) -> u64 {
        let items = self.0["downloads_per_item"].as_object();
        items.map_or(0, |items| items.len() as u64)
    }

    /// Everything but sign-in and connections, of kinds that nobody thought of as well: requests, where nothing is downloaded.
    pub(super) fn requests(&self) -> u64 {
        let kinds = self.0["calls"].as_object().into_iter().flatten();
        let counted = kinds.filter(|(kind, _)| !FREE.contains(&kind.as_str()));
        counted.filter_map(|(_, count)| count.as_u64()).sum()
    }

    /// Files of which the bytes were sent at once.
    pub(super) fn sent(&self) -> u64 {
        self.of(&["upload_raw"])
    }

    /// Calls that make items, whatever came of them.
    pub(super) fn batches(&self) -> u64 {
        self.of(&["batch_create"])
    }

    /// Calls of any kind that were answered with 429: too much, or while another one wrote.
    pub(super) fn refused(&self) -> u64 {
        let kinds = self.0["statuses"].as_object().into_iter().flatten();
        kinds
            .filter_map(|(_, statuses)| statuses["429"].as_u64())
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn calls_are_counted_by_what_they_were_for() {
        let calls = Calls(json!({
            "calls": {"search": 50, "list_albums": 1, "download": 5003, "batch_get": 2, "connect": 32, "token": 1},
            "downloads_per_item": {"a": 1, "b": 2},
        }));
        assert_eq!(calls.listings(), 51);
        assert_eq!(calls.downloads(), 5003);
        assert_eq!(calls.counted(), 5056);
        assert_eq!(calls.items_served(), 2);
    }

    #[test]
    fn calls_of_an_upload_are_counted_whatever_their_kind_and_refusals_by_their_status() {
        let calls = Calls(json!({
            "calls": {"upload_raw": 60, "batch_create": 5, "create_album": 1, "other": 2, "connect": 8, "token": 1},
            "statuses": {"batch_create": {"200": 2, "429": 3}, "create_album": {"429": 1}, "token": {"200": 1}},
        }));
        assert_eq!(calls.requests(), 68);
        assert_eq!(calls.sent(), 60);
        assert_eq!(calls.batches(), 5);
        assert_eq!(calls.refused(), 4);
    }
}
