//! `tintype storage`: connects places to a server, and tests them.

mod add;
mod end;
mod health;
mod list;
mod show;
mod sign_in;
mod test;
mod update;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::{failure::Failure, remote::Server};

const EXAMPLES: &str = "\
Examples:
  tintype serve --profile embedded                        a server on this machine, in another terminal
  rclone authorize \"google photos\" CLIENT_ID CLIENT_SECRET > token.txt
  tintype storage add google-photos --name family --client-file client.json --token-file token.txt
  tintype storage add google-photos --name studio --client-file client.json --sign-in
  tintype storage add folder --name disk --path /srv/photos
  tintype storage test family
  tintype storage show family                             when its token dies, and what to do about it
  tintype storage update family --proxy http://127.0.0.1:8282
  tintype storage list --server https://photos.example --server-token-file operator.token --tenant acme";

/// What to do with the storages of which server.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Storage {
    #[command(flatten)]
    server: Server,
    /// Print the result as JSON on standard output
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Connect a place; an account is tested first
    #[command(subcommand)]
    Add(add::Place),
    /// The places that are connected, and how long their credentials live
    List,
    /// One place, and how what opens it is
    Show(show::Show),
    /// Rename a place, or change the options of an account; what is not named stays
    Update(update::Update),
    /// Sign in at Google for an account, with a browser
    SignIn(sign_in::SignIn),
    /// Give an account's grant back to Google and forget its credential; plans stay and wait for a new one
    Disconnect(end::Which),
    /// Remove a place that no plan uses
    Remove(end::Which),
    /// Test an account with real calls, four that Google counts at most
    Test(test::Test),
}

impl Storage {
    /// Does it.
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        match self.task {
            Task::Add(place) => place.run(&self.server, self.json).await,
            Task::List => list::run(&self.server, self.json).await,
            Task::Show(it) => it.run(&self.server, self.json).await,
            Task::Update(it) => it.run(&self.server, self.json).await,
            Task::SignIn(it) => it.run(&self.server, self.json).await,
            Task::Disconnect(it) => it.disconnect(&self.server).await,
            Task::Remove(it) => it.remove(&self.server).await,
            Task::Test(it) => it.run(&self.server, self.json).await,
        }
    }
}
