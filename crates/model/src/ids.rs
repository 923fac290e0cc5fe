//! Every id of the product is its own type: a UUIDv7 inside, `prefix_…` outside.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// Why a text is not the id it was taken for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseIdError {
    /// The text does not begin with the prefix of this kind of id.
    #[error("not a {expected} id: it should look like {expected}_0190f5…")]
    Prefix {
        /// The prefix that belongs here, without the underscore.
        expected: &'static str,
    },
    /// What follows the prefix is not 32 hexadecimal digits.
    #[error("a {expected} id has 32 hexadecimal digits after the underscore")]
    Digits {
        /// The prefix of this kind of id.
        expected: &'static str,
    },
}

fn uuid_v7(at: DateTime<Utc>, entropy: [u8; 10]) -> Uuid {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &entropy).into_uuid()
}

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// What stands before the underscore in the outside form.
            pub const PREFIX: &'static str = $prefix;

            /// A new id, made at `at` from ten random bytes.
            #[must_use]
            pub fn new(at: DateTime<Utc>, entropy: [u8; 10]) -> Self {
                Self(uuid_v7(at, entropy))
            }

            /// The id as a database holds it.
            #[must_use]
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }

            /// An id read back from a database.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}", $prefix, self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let digits = text
                    .strip_prefix(concat!($prefix, "_"))
                    .ok_or(ParseIdError::Prefix { expected: $prefix })?;
                let wrong_digits = ParseIdError::Digits { expected: $prefix };
                if digits.len() != 32 {
                    return Err(wrong_digits);
                }
                Uuid::try_parse(digits).map(Self).map_err(|_| wrong_digits)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id_type!(
    /// An organisation. Every row, object and key belongs to exactly one.
    TenantId, "ten"
);
id_type!(
    /// A connected place: a Google Photos account, a bucket, a folder.
    StorageId, "stg"
);
id_type!(
    /// A source storage, a destination storage and how to copy between them.
    PlanId, "pln"
);
id_type!(
    /// One execution of a plan.
    RunId, "run"
);
id_type!(
    /// A bounded slice of a run's work, leased to one worker at a time.
    ShardId, "shd"
);
id_type!(
    /// An immutable, signed manifest of what a run established.
    SnapshotId, "snp"
);
id_type!(
    /// An archive: one root folder or bucket prefix that a plan writes to.
    ArchiveId, "arc"
);
id_type!(
    /// A set of secrets in the vault.
    CredentialId, "crd"
);
id_type!(
    /// A process that takes leases.
    WorkerId, "wrk"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_outside_form() {
        let id = RunId::new(DateTime::UNIX_EPOCH, [7; 10]);
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn another_kind_of_id_is_refused_by_name() {
        let run = RunId::new(DateTime::UNIX_EPOCH, [7; 10]).to_string();
        assert_eq!(
            run.parse::<PlanId>(),
            Err(ParseIdError::Prefix { expected: "pln" })
        );
        assert_eq!(
            "run_12".parse::<RunId>(),
            Err(ParseIdError::Digits { expected: "run" })
        );
    }

    #[test]
    fn ids_sort_by_the_time_they_were_made() {
        let early = RunId::new(DateTime::UNIX_EPOCH, [255; 10]);
        let late = RunId::new(
            DateTime::UNIX_EPOCH + chrono::TimeDelta::milliseconds(1),
            [0; 10],
        );
        assert!(early < late);
    }
}
