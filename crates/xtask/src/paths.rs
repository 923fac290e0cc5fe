//! Where the repository is, and where downloaded tools are kept.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

pub(crate) use tintype_servers::find_in_path;

/// The root folder of the workspace.
pub(crate) fn workspace_root() -> Result<PathBuf> {
    // Cargo sets the variable at run time; the built-in value serves a binary started by hand.
    let manifest_dir = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    let root = manifest_dir
        .ancestors()
        .nth(2)
        .context("xtask does not stand in crates/xtask")?;
    Ok(root.to_path_buf())
}

/// Pinned tools live outside the repository, so that a fresh clone finds those of the last one:
/// `TINTYPE_TOOLS_DIR`, else `tintype-tools` in the user's cache folder.
pub(crate) fn tools_dir() -> Result<PathBuf> {
    let dir = match (
        env::var_os("TINTYPE_TOOLS_DIR"),
        env::var_os("XDG_CACHE_HOME"),
    ) {
        (Some(dir), _) if !dir.is_empty() => PathBuf::from(dir),
        (_, Some(cache)) if !cache.is_empty() => Path::new(&cache).join("tintype-tools"),
        _ => {
            let home = env::home_dir().ok_or_else(|| {
                anyhow!("no home folder found for downloaded tools: set TINTYPE_TOOLS_DIR")
            })?;
            home.join(".cache/tintype-tools")
        }
    };
    fs::create_dir_all(&dir)
        .with_context(|| format!("cannot create {}: set TINTYPE_TOOLS_DIR", dir.display()))?;
    dir.canonicalize()
        .with_context(|| format!("cannot open {}", dir.display()))
}
