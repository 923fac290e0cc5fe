//! What a person sees: progress and words on standard error, results on standard output.

mod console;
mod pace;
mod run_view;
mod shell;
mod table;
mod units;

pub(crate) use console::{Console, Mark, Meter};
pub(crate) use run_view::RunView;
pub(crate) use shell::{program, quoted};
pub(crate) use table::Table;
pub(crate) use units::{bytes, count, counted, printable, sentence, span};

use std::io::Write as _;

use serde::Serialize;

/// One JSON object on standard output.
pub(crate) fn json(value: &impl Serialize) {
    match serde_json::to_string(value) {
        Ok(text) => out(&text),
        Err(error) => Console::new().say(&format!("the result cannot be written as JSON: {error}")),
    }
}

/// One line on standard output. A reader that went away (`| head`) is no failure of the command.
pub(crate) fn out(line: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}
