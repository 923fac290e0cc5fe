//! The command line: one file a command, each with its options and what it does.

mod admin;
mod backup;
mod completions;
mod demo;
mod emulator;
mod here;
mod job;
mod oauth_client;
mod outcome;
mod restore;
mod size;
mod storage;
mod upload;
mod verify;

use std::{ffi::OsString, path::Path, process::ExitCode};

use clap::{Parser, Subcommand};
use secrecy::SecretString;
use tintype_runtime::Lifecycle;

use crate::{failure::Failure, serve::Serve};

const EXAMPLES: &str = "\
Examples:
  tintype demo                                   see it work, without an account
  tintype demo --library ~/Pictures              the same with your own photos
  tintype backup --client-file client.json --token-file token.json --to ~/photos-backup
  tintype verify ~/photos-backup
  tintype restore ~/photos-backup --to ~/restored
  tintype upload --client-file client.json --token-file token.json --from ~/Pictures

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 sign in again, 4 waiting for quota,
5 some items failed, 130 interrupted. TINTYPE_LOG=info shows what happens inside.";

/// Back up Google Photos: copied, verified, restorable.
#[derive(Debug, Parser)]
#[command(name = "tintype", version, after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch a photo library being backed up, verified and restored, without an account
    Demo(demo::Demo),
    /// Back up a Google Photos account to a folder or bucket
    Backup(Box<backup::Backup>),
    /// Upload a folder, a bucket or a backup to a Google Photos account
    Upload(Box<upload::Upload>),
    /// Check every byte of an archive, offline
    Verify(verify::Verify),
    /// Copy the photos of an archive into a folder
    Restore(restore::Restore),
    /// Run a fake of Google Photos to try things against
    Emulator(emulator::EmulatorArgs),
    /// Run the roles of a hosted install: vault, worker, scheduler
    Serve(Serve),
    /// Connect places to a server, and test them
    Storage(storage::Storage),
    /// Look after an install: queues, dead letters, leases, quota
    Admin(admin::Admin),
    /// Print completions for a shell
    Completions(completions::Completions),
}

impl Cli {
    /// Whether results and failures go to standard output as JSON.
    pub(crate) fn wants_json(&self) -> bool {
        match &self.command {
            Command::Demo(it) => it.json,
            Command::Backup(it) => it.json,
            Command::Upload(it) => it.json,
            Command::Verify(it) => it.json,
            Command::Restore(it) => it.json,
            Command::Emulator(it) => it.json,
            Command::Storage(it) => it.json,
            Command::Admin(it) => it.json,
            Command::Serve(_) | Command::Completions(_) => false,
        }
    }

    /// How much is logged unless `TINTYPE_LOG` says otherwise; `None` for a command that sees to its logs by itself.
    pub(crate) const fn logs(&self) -> Option<&'static str> {
        match &self.command {
            Command::Serve(_) => None,
            _ => Some("error"),
        }
    }

    /// Whether the command itself sees to an orderly end when it is asked to stop.
    pub(crate) fn drains(&self) -> bool {
        matches!(
            self.command,
            Command::Backup(_) | Command::Upload(_) | Command::Emulator(_) | Command::Serve(_)
        )
    }

    /// Does what was asked.
    pub(crate) async fn run(self, life: &Lifecycle) -> Result<ExitCode, Failure> {
        match self.command {
            Command::Demo(it) => it.run(life).await,
            Command::Backup(it) => it.run(life).await,
            Command::Upload(it) => it.run(life).await,
            Command::Verify(it) => it.run().await,
            Command::Restore(it) => it.run().await,
            Command::Emulator(it) => it.run(life).await,
            Command::Serve(it) => it.run(life).await,
            Command::Storage(it) => it.run().await,
            Command::Admin(it) => it.run(life).await,
            Command::Completions(it) => it.run(),
        }
    }
}

/// The arguments, without the `--` that `cargo demo -- --library DIR` leaves behind `demo`.
pub(crate) fn arguments(given: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut all: Vec<OsString> = given.collect();
    let separated =
        all.get(1).is_some_and(|it| it == "demo") && all.get(2).is_some_and(|it| it == "--");
    if separated {
        all.remove(2);
    }
    all
}

/// Reads a small text file, or standard input for `-`.
pub(crate) fn read_small(path: &Path) -> Result<String, Failure> {
    use std::io::Read as _;
    let limit = tintype_model::credential::MAX_INPUT as u64 + 1;
    let mut text = String::new();
    let read = match path.to_str() {
        Some("-") => std::io::stdin().take(limit).read_to_string(&mut text),
        _ => std::fs::File::open(path).and_then(|file| file.take(limit).read_to_string(&mut text)),
    };
    read.map_err(|error| Failure::file("reading", path, &error))?;
    Ok(text)
}

/// A secret of one line, from the file if there is one, else from the variable.
pub(crate) fn secret(
    name: &str,
    file: Option<&Path>,
    option: &str,
    variable: &str,
) -> Result<SecretString, Failure> {
    let text = match file {
        Some(file) => read_small(file)?,
        None => std::env::var(variable).unwrap_or_default(),
    };
    let line = text.trim();
    if line.is_empty() || !line.bytes().all(|byte| byte.is_ascii_graphic()) {
        let message = format!("{name}: is missing, or is no line of plain characters");
        let action = format!("put it into a file and give {option}, or set {variable}");
        return Err(Failure::usage(message).with_action(action));
    }
    Ok(SecretString::from(line))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        let words = line.split_whitespace().map(OsString::from);
        Cli::try_parse_from(arguments(words))
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_separator_of_the_cargo_alias_is_dropped() {
        let cli = parse("tintype demo -- --library /photos --json").unwrap();
        assert!(cli.wants_json());
        assert!(parse("tintype verify -- /archive").is_ok());
    }

    #[test]
    fn a_backup_needs_client_token_and_destination() {
        assert!(parse("tintype backup --client-file c.json --token-file t --to /d").is_ok());
        assert!(parse("tintype backup --client-id 1-a --token-file t --to /d").is_ok());
        for incomplete in [
            "tintype backup --token-file t --to /d",
            "tintype backup --client-file c.json --to /d",
            "tintype backup --client-file c.json --token-file t",
            "tintype backup --client-file c --client-secret-file s --token-file t --to /d",
            "tintype backup --client-file c --token-file t --to /d --mirror --recipient age1x",
        ] {
            assert!(parse(incomplete).is_err(), "{incomplete}");
        }
    }

    #[test]
    fn a_storage_is_added_with_all_that_opens_it() {
        let client = "--client-file c.json --token-file t";
        assert!(
            parse(&format!(
                "tintype storage add google-photos --name x {client}"
            ))
            .is_ok()
        );
        assert!(parse(&format!("tintype storage add google-photos {client}")).is_err());
        assert!(parse("tintype storage add google-photos --name x --client-file c").is_err());
        assert!(
            parse("tintype storage add google-photos --name x --client-file c --sign-in").is_ok()
        );
        assert!(
            parse(&format!(
                "tintype storage add google-photos --name x {client} --sign-in"
            ))
            .is_err()
        );
        assert!(parse("tintype storage add folder --name x --path /srv").is_ok());
        assert!(parse("tintype storage test photos --tenant home --json").is_ok());
        assert!(parse("tintype storage test").is_err());
    }

    #[test]
    fn a_demo_shows_either_a_folder_or_invented_photos() {
        assert!(parse("tintype demo --library /photos --items 4").is_err());
        assert!(parse("tintype demo --encrypt --mirror").is_err());
        assert!(parse("tintype demo --items 4 --size 60KiB --latency 20").is_ok());
    }
}
