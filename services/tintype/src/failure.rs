//! How a command ends badly: one line on what was wrong, one on what to do, and the exit code.

use std::{fmt, io, path::Path, process::ExitCode};

use serde::Serialize;
use tintype_app::{AppError, runs::describe};
use tintype_emulator::EmulatorError;
use tintype_model::{ErrorKind, credential::CredentialError};
use tintype_ports::{
    ArchiveError, StoreError, VaultError, events::EventsError, queue::QueueError, quota::QuotaError,
};
use tintype_runtime::{HttpError, telemetry::TelemetryError};

use crate::render::Console;

/// The exit code after Ctrl-C or SIGTERM.
const INTERRUPTED: u8 = 130;

/// Why a command could not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The stable word in JSON output.
    code: &'static str,
    exit: u8,
    message: String,
    action: Option<String>,
}

/// What `--json` prints on standard output instead of a result.
#[derive(Serialize)]
struct Report<'a> {
    status: &'static str,
    code: &'a str,
    message: &'a str,
    action: Option<&'a str>,
    exit_code: u8,
}

impl Failure {
    /// A failure of a class.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            code: kind.code(),
            exit: kind.exit_code(),
            message: message.into(),
            action: None,
        }
    }

    /// Something on the command line, or in a file it names, is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidInput, message)
    }

    /// A file or folder could not be used.
    pub(crate) fn file(doing: &str, path: &Path, error: &io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::NotFound => ErrorKind::InvalidInput,
            _ => ErrorKind::Unavailable,
        };
        Self::new(kind, format!("{doing} {} failed: {error}", path.display()))
    }

    /// Stopped by a signal.
    pub(crate) fn interrupted() -> Self {
        Self {
            code: "interrupted",
            exit: INTERRUPTED,
            message: "interrupted".into(),
            action: None,
        }
    }

    /// The same with what to do next.
    pub(crate) fn with_action(mut self, action: impl Into<String>) -> Self {
        self.action = Some(action.into());
        self
    }

    /// The class of an error, its whole chain of causes, and what to do where the class says so.
    pub(crate) fn caused_by(kind: ErrorKind, error: &dyn std::error::Error) -> Self {
        let text = describe(error);
        // The model words what a person typed wrongly as "what is wrong; what to do".
        if kind == ErrorKind::InvalidInput
            && let Some((wrong, action)) = text.split_once("; ")
        {
            return Self::new(kind, wrong).with_action(action);
        }
        let failure = Self::new(kind, text);
        match action_for(kind) {
            Some(action) => failure.with_action(action),
            None => failure,
        }
    }

    /// Prints it and gives the exit code.
    pub(crate) fn report(&self, json: bool) -> ExitCode {
        Console::new().failure(&self.message, self.action.as_deref());
        if json {
            crate::render::json(&Report {
                status: "error",
                code: self.code,
                message: &self.message,
                action: self.action.as_deref(),
                exit_code: self.exit,
            });
        }
        ExitCode::from(self.exit)
    }
}

/// What a person can do about a failure of this class, whatever was tried.
pub(crate) const fn action_for(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::AuthLost => Some(
            "run rclone authorize \"google photos\" again, put what it prints into the token file, and repeat the command",
        ),
        ErrorKind::Forbidden => Some(
            "enable the Photos Library API in the cloud project, or sign in again and allow reading",
        ),
        ErrorKind::PickAwaited => Some(
            "pick photos behind the link, and repeat the command or leave it running with --wait",
        ),
        ErrorKind::DestinationFull => Some("make room at the destination and repeat the command"),
        ErrorKind::DestinationMissing => {
            Some("create or connect the destination and repeat the command")
        }
        ErrorKind::DestinationReadOnly => {
            Some("allow writing at the destination, or mend its keys, and repeat the command")
        }
        ErrorKind::QuotaExhausted => Some(
            "repeat the command after the quota day has turned, or leave it running with --wait",
        ),
        ErrorKind::Unavailable => Some("try again in a minute"),
        ErrorKind::Internal => {
            Some("this is a defect of ours: please report it with the output of TINTYPE_LOG=debug")
        }
        ErrorKind::InvalidInput
        | ErrorKind::NotFound
        | ErrorKind::Conflict
        | ErrorKind::Corrupt
        | ErrorKind::LeaseLost => None,
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

macro_rules! sorted {
    ($($error:ty),* $(,)?) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::caused_by(error.kind(), &error)
            }
        }
    )*};
}
sorted!(AppError, StoreError, VaultError, ArchiveError, QuotaError);

macro_rules! of_kind {
    ($($error:ty => $kind:ident),* $(,)?) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::caused_by(ErrorKind::$kind, &error)
            }
        }
    )*};
}
of_kind!(
    CredentialError => InvalidInput,
    EmulatorError => Unavailable,
    EventsError => Unavailable,
    HttpError => InvalidInput,
    QueueError => Unavailable,
    TelemetryError => InvalidInput,
    io::Error => Unavailable,
);

#[cfg(test)]
mod tests {
    use tintype_model::credential::TokenBlob;

    use super::*;

    #[test]
    fn what_to_do_stands_on_a_line_of_its_own() {
        let failure = Failure::from(TokenBlob::parse("").unwrap_err());
        let expected = Failure {
            code: "invalid_input",
            exit: 2,
            message: "token: is empty".into(),
            action: Some("paste it whole".into()),
        };
        assert_eq!(failure, expected);
    }

    #[test]
    fn a_full_destination_says_what_to_do() {
        let failure = Failure::from(ArchiveError::Full("no space left on device".into()));
        assert_eq!((failure.exit, failure.code), (1, "destination_full"));
        assert!(failure.action.is_some_and(|it| it.contains("make room")));
    }
}
