//! `cargo xtask deps`: who may import whom, and how the repository is laid out.
//!
//! `rules.rs` is the list to read and to change; the other modules look for what breaks it.

mod graph;
mod layout;
mod rules;
mod sources;
mod workspace;

use std::fmt;

use anyhow::{Result, bail};

use crate::{console, paths};
use workspace::Workspace;

/// One broken rule, told to the person who has to mend it.
#[derive(Debug, PartialEq, Eq)]
struct Violation {
    /// The crate, file or folder that breaks the rule.
    place: String,
    /// What it does that it may not.
    broken: String,
    /// Why the rule is there.
    reason: String,
    /// What to do instead.
    advice: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.place, self.broken)?;
        writeln!(f, "    why:  {}", self.reason)?;
        write!(f, "    mend: {}", self.advice)
    }
}

/// Checks the workspace against every rule.
///
/// # Errors
/// When a rule is broken; every violation has been printed by then.
pub(crate) fn run() -> Result<()> {
    let workspace = Workspace::read(&paths::workspace_root()?)?;
    let mut violations = graph::check(&workspace);
    violations.extend(layout::check(&workspace));
    violations.extend(sources::check(&workspace));
    for violation in &violations {
        eprintln!("{violation}");
    }
    if !violations.is_empty() {
        bail!(
            "{} rules of the house are broken (crates/xtask/src/deps/rules.rs)",
            violations.len()
        );
    }
    let (crates, sources) = (workspace.crates.len(), workspace.sources.len());
    console::step(&format!(
        "{crates} crates and {sources} files keep the rules of the house"
    ));
    Ok(())
}
