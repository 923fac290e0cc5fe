//! Ctrl-C and SIGTERM as a future, so that a chore ends by being dropped.

use std::fmt;
use std::process::ExitCode;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signal that asked the chore to end.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Requested {
    Interrupt,
    Terminate,
}

impl Requested {
    /// 128 + the signal's number, as shells report it.
    pub(crate) fn exit_code(self) -> ExitCode {
        match self {
            Self::Interrupt => ExitCode::from(130),
            Self::Terminate => ExitCode::from(143),
        }
    }
}

impl fmt::Display for Requested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interrupt => "interrupted",
            Self::Terminate => "terminated",
        })
    }
}

/// Resolves when the user or the system asks this process to end.
pub(crate) async fn requested() -> Requested {
    let interrupt = wait(signal(SignalKind::interrupt()));
    let terminate = wait(signal(SignalKind::terminate()));
    tokio::select! {
        () = interrupt => Requested::Interrupt,
        () = terminate => Requested::Terminate,
    }
}

/// A signal that cannot be watched is one that never comes: the default action ends the process.
async fn wait(watched: std::io::Result<Signal>) {
    match watched {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}
