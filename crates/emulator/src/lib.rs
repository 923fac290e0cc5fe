//! A stateful fake of Google Photos over real HTTP: the Library and Picker APIs, OAuth, base URLs, quota and
//! faults. Tests use it as the oracle, the demo as the account. See the README for the control API.

mod api;
mod clock;
mod config;
mod control;
mod error;
mod faults;
mod kind;
mod ledger;
mod library;
mod mix;
mod net;
mod oauth;
mod running;
mod serving;
mod state;
mod switches;
mod sync;

pub use config::{
    ClientConfig, DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, EmulatorConfig,
    Generated, InterceptConfig, Library, SCOPE_APPEND, SCOPE_EDIT, SCOPE_PICKER, SCOPE_READ,
    TlsConfig,
};
pub use control::Control;
pub use control::shapes::{Expected, ItemBytes, ItemChange, ItemSummary, NewItem};
pub use error::EmulatorError;
pub use faults::{Effect, Fault, FaultState};
pub use kind::CallKind;
pub use ledger::{LedgerEntry, LedgerSummary};
pub use library::sample::small_photo;
pub use running::{Emulator, RunningEmulator};
pub use state::people::Grant;
pub use state::quota::DayUse;
pub use switches::{ConsentAnswer, QuotaLimits, Replay, Switches};
