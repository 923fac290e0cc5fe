//! How a database's error becomes a [`StoreError`].

use sqlx::error::ErrorKind;
use tintype_ports::StoreError;

/// A [`StoreError`] that `?` can make from a [`sqlx::Error`].
#[derive(Debug)]
pub(crate) struct Failure(StoreError);

pub(crate) type Outcome<T> = Result<T, Failure>;

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        failure.0
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self(error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self(match &error {
            sqlx::Error::Database(refusal) => match refusal.kind() {
                ErrorKind::UniqueViolation => StoreError::Conflict(refusal.message().to_owned()),
                ErrorKind::ForeignKeyViolation => {
                    StoreError::NotFound(refusal.message().to_owned())
                }
                _ => StoreError::Database(Box::new(error)),
            },
            sqlx::Error::ColumnDecode { index, source } => {
                StoreError::Corrupt(format!("column {index}: {source}"))
            }
            _ => StoreError::Database(Box::new(error)),
        })
    }
}

/// Says in words what a refused write means.
pub(crate) trait Explain<T> {
    /// The text of the error when a unique constraint refuses.
    fn taken(self, what: &str) -> Outcome<T>;
    /// The text of the error when a foreign key refuses.
    fn missing(self, what: &str) -> Outcome<T>;
    /// The error is a conflict when a foreign key refuses, because other rows need this one.
    fn in_use(self, what: &str) -> Outcome<T>;
}

impl<T, E: Into<Failure>> Explain<T> for Result<T, E> {
    fn taken(self, what: &str) -> Outcome<T> {
        self.map_err(|error| match error.into().0 {
            StoreError::Conflict(_) => Failure(StoreError::Conflict(what.to_owned())),
            other => Failure(other),
        })
    }

    fn missing(self, what: &str) -> Outcome<T> {
        self.map_err(|error| match error.into().0 {
            StoreError::NotFound(_) => Failure(StoreError::NotFound(what.to_owned())),
            other => Failure(other),
        })
    }

    fn in_use(self, what: &str) -> Outcome<T> {
        self.map_err(|error| match error.into().0 {
            StoreError::NotFound(_) => Failure(StoreError::Conflict(what.to_owned())),
            other => Failure(other),
        })
    }
}

/// One row was to change.
pub(crate) fn exactly_one(affected: u64, what: &str) -> Outcome<()> {
    if affected == 1 {
        Ok(())
    } else {
        Err(StoreError::NotFound(what.to_owned()).into())
    }
}

/// Nothing was to change: the row is not what it was, or not there.
pub(crate) fn unchanged(is_there: i64, what: &str) -> Failure {
    Failure(if is_there == 0 {
        StoreError::NotFound(what.to_owned())
    } else {
        StoreError::Conflict(format!("{what} was changed meanwhile; look at it again"))
    })
}
