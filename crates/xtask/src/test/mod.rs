//! `cargo xtask test`: one module a thing the tests need, and one that runs them.

mod age;
pub(crate) mod rclone;
mod runner;
pub(crate) mod services;

use std::ffi::OsString;

use anyhow::Result;

use self::services::Services;
use crate::console;
use crate::paths;
use crate::system::Apt;

/// What `cargo xtask test` takes.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Run only tests whose name contains this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// With the numbers that promises are made with: more photos, more kills. Takes hours
    #[arg(long)]
    full: bool,
    /// Passed on to nextest (or to `cargo test`), such as `-- -E 'package(tintype-store)'`
    #[arg(last = true, value_name = "ARGS")]
    rest: Vec<OsString>,
}

impl Options {
    /// Every test of the workspace.
    pub(crate) fn everything() -> Self {
        Self {
            filter: None,
            full: false,
            rest: Vec::new(),
        }
    }
}

/// Variables that tell the tests where things are, as `tintype-testkit` reads them.
type Environment = Vec<(&'static str, OsString)>;

/// Brings up what the tests need, runs them, and takes it down again however they end.
pub(crate) async fn run(options: Options) -> Result<()> {
    let root = paths::workspace_root()?;
    let apt = Apt::telling(console::step);
    let mut environment = Environment::new();
    if options.full {
        environment.push(("TINTYPE_TEST_FULL", "1".into()));
    }

    environment.push((
        "TINTYPE_RCLONE",
        rclone::find_or_fetch(&root, &apt).await?.into(),
    ));
    environment.push(("TINTYPE_AGE", age::find_or_fetch(&root, &apt).await?.into()));
    // The servers start while the compiler works.
    let (services, binary) = tokio::try_join!(Services::start(&apt), runner::build(&root))?;
    environment.extend(services.environment());
    environment.push(("TINTYPE_BIN", binary.into()));

    runner::run(&root, environment, &options).await
}
