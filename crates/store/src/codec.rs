//! Values of the model as columns hold them, and back. What cannot be understood is [`StoreError::Corrupt`].

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, IntoDeserializer, value::Error as NameError},
};
use tintype_model::item::ProviderId;
use tintype_ports::StoreError;
use unicode_normalization::UnicodeNormalization as _;

fn corrupt(what: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(what.to_string())
}

/// The name of an enum's variant, as JSON shows it.
pub(crate) fn name<T: Serialize>(value: &T) -> Result<String, StoreError> {
    match serde_json::to_value(value).map_err(corrupt)? {
        serde_json::Value::String(text) => Ok(text),
        other => Err(corrupt(format!("{other} is not a name"))),
    }
}

/// The variant that a name stands for.
pub(crate) fn from_name<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, StoreError> {
    let names: serde::de::value::StrDeserializer<'de, NameError> = text.into_deserializer();
    T::deserialize(names).map_err(corrupt)
}

/// A value as JSON text.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(corrupt)
}

/// A value from JSON text.
pub(crate) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(corrupt)
}

/// A count as a database holds it.
pub(crate) fn int(count: u64) -> Result<i64, StoreError> {
    i64::try_from(count).map_err(|_| corrupt(format!("{count} does not fit into the database")))
}

/// A count from a database.
pub(crate) fn count(value: i64) -> Result<u64, StoreError> {
    u64::try_from(value).map_err(|_| corrupt(format!("{value} is not a count")))
}

/// A small count from a database.
pub(crate) fn small(value: i64) -> Result<u32, StoreError> {
    u32::try_from(value).map_err(|_| corrupt(format!("{value} is not a small count")))
}

/// A provider's id from a database.
pub(crate) fn provider_id(text: String) -> Result<ProviderId, StoreError> {
    ProviderId::try_from(text).map_err(corrupt)
}

/// Where keyset paging begins: after this seq.
pub(crate) fn position(after: Option<u64>) -> Result<i64, StoreError> {
    after.map_or(Ok(-1), int)
}

/// The time that is `later` after `now`, in whole microseconds, which is what PostgreSQL keeps.
pub(crate) fn after(now: DateTime<Utc>, later: Duration) -> DateTime<Utc> {
    let micros = i64::try_from(later.as_micros()).unwrap_or(i64::MAX);
    now.checked_add_signed(TimeDelta::microseconds(micros))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// What two paths share when some file system takes them for the same.
pub(crate) fn path_key(path: &str) -> String {
    // Lower-casing can undo composition, hence NFC on both sides.
    path.nfc()
        .collect::<String>()
        .to_lowercase()
        .nfc()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tintype_model::{plan::PlanKind, run::RunState, shard::ShardKind};

    #[test]
    fn every_state_of_a_run_has_the_name_that_the_model_gives_it() {
        for state in RunState::ALL {
            assert_eq!(name(&state).expect("a name"), state.as_str());
            assert_eq!(
                from_name::<RunState>(state.as_str()).expect("a state"),
                state
            );
        }
    }

    #[test]
    fn every_kind_of_plan_has_the_name_that_the_model_gives_it() {
        for kind in [PlanKind::Backup, PlanKind::Upload, PlanKind::Transfer] {
            assert_eq!(from_name::<PlanKind>(kind.as_str()).expect("a kind"), kind);
        }
    }

    #[test]
    fn an_unknown_name_is_corrupt() {
        assert!(matches!(
            from_name::<ShardKind>("weed"),
            Err(StoreError::Corrupt(_))
        ));
        assert!(matches!(
            from_name::<PlanKind>("weed"),
            Err(StoreError::Corrupt(_))
        ));
    }

    #[test]
    fn twins_in_case_and_composition_have_one_key() {
        assert_eq!(path_key("É.JPG"), path_key("e\u{301}.jpg"));
        assert_ne!(path_key("a.jpg"), path_key("b.jpg"));
    }
}
