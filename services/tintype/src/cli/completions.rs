//! `tintype completions SHELL`.

use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Cli;
use crate::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  tintype completions bash > ~/.local/share/bash-completion/completions/tintype
  tintype completions zsh > ~/.zfunc/_tintype
  tintype completions fish > ~/.config/fish/completions/tintype.fish";

/// Which shell.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Completions {
    /// The shell to complete in
    shell: Shell,
}

impl Completions {
    /// Prints the script on standard output.
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "tintype", &mut script);
        crate::render::out(String::from_utf8_lossy(&script).trim_end());
        Ok(ExitCode::SUCCESS)
    }
}
