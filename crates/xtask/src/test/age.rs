//! A program that opens age files, to prove that archives need nothing of ours. The `age` program shares no code with us; its
//! stand-in from PyPI wraps the crate that we use as well, so it proves less and comes last.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::console;
use crate::paths;
use crate::system::{self, Apt};

/// The wheel that `tools/pyrage.txt` pins.
const PYRAGE: &str = "pyrage-1.4.0";

/// Finds a program that understands `age -d -i KEYFILE FILE`: `TINTYPE_AGE`, `age` in `PATH`, the
/// Debian package, or the Python stand-in of `tools/age.py`.
///
/// # Errors
/// When none can be had.
pub(super) async fn find_or_fetch(root: &Path, apt: &Apt) -> Result<PathBuf> {
    if let Some(named) = env::var_os("TINTYPE_AGE") {
        return Ok(PathBuf::from(named));
    }
    if let Some(installed) = paths::find_in_path("age") {
        return Ok(installed);
    }
    if Apt::is_usable() {
        match apt.install(&["age"]).await {
            Ok(()) => {
                return paths::find_in_path("age").context("age was installed, but not in PATH");
            }
            Err(error) => console::step(&format!("no Debian package of age: {error:#}")),
        }
    }
    fetch_stand_in(root, apt).await
}

async fn fetch_stand_in(root: &Path, apt: &Apt) -> Result<PathBuf> {
    let home = paths::tools_dir()?.join(PYRAGE);
    let tools = root.join("crates/xtask/tools");
    let python = system::python_with_pip(apt).await?;
    if !home.is_dir() {
        console::step(&format!(
            "no age program found; fetching {PYRAGE} in its place"
        ));
        system::unpack_wheel(&python, &tools.join("pyrage.txt"), &home).await?;
    }
    // Written anew each time: the script names this clone and this Python.
    let program = home.join("age");
    fs::write(&program, launcher(&python, &home, &tools.join("age.py")))?;
    system::make_executable(&program)?;
    Ok(program)
}

fn launcher(python: &Path, packages: &Path, script: &Path) -> String {
    format!(
        "#!/bin/sh\nPYTHONPATH={} exec {} {} \"$@\"\n",
        quoted(packages),
        quoted(python),
        quoted(script)
    )
}

/// A path as one word of a shell command.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::launcher;

    #[test]
    fn the_launcher_survives_spaces_and_quotes_in_folders() {
        let text = launcher(
            Path::new("/usr/bin/python3"),
            Path::new("/a b"),
            Path::new("/it's/age.py"),
        );
        assert_eq!(
            text,
            "#!/bin/sh\nPYTHONPATH='/a b' exec '/usr/bin/python3' '/it'\\''s/age.py' \"$@\"\n"
        );
    }
}
