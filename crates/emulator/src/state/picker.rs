//! Picker sessions: opened by an app, filled by a person (here: by the control API).

use std::collections::HashMap;

use super::ids::Key;

/// One picking session.
#[derive(Debug)]
pub(crate) struct PickSession {
    pub(crate) account: u16,
    pub(crate) client: u16,
    pub(crate) max_items: u64,
    pub(crate) expires_ms: i64,
    /// What the person picked, once done.
    pub(crate) picked: Option<Vec<Key>>,
}

/// All sessions by id.
#[derive(Debug, Default)]
pub(crate) struct Picker {
    pub(crate) sessions: HashMap<String, PickSession>,
    pub(crate) serial: u64,
}
