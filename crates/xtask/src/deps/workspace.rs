//! What the rules look at, read once: crates with their dependencies, folders, source files.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, MetadataCommand};

/// The repository as the checks see it; every path is relative to its root, with `/`.
#[derive(Debug, Default)]
pub(super) struct Workspace {
    pub(super) crates: Vec<Crate>,
    pub(super) top_folders: Vec<String>,
    /// Every Rust file of the workspace.
    pub(super) sources: Vec<Source>,
}

#[derive(Debug)]
pub(super) struct Crate {
    pub(super) package: String,
    pub(super) folder: String,
    pub(super) manifest: String,
    pub(super) imports: Vec<Import>,
}

/// A dependency that a crate declares.
#[derive(Debug)]
pub(super) struct Import {
    pub(super) package: String,
    /// Declared under dev-dependencies.
    pub(super) for_tests: bool,
}

#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: String,
    pub(super) text: String,
}

impl Workspace {
    /// Reads the repository that stands in `root`.
    ///
    /// # Errors
    /// When a manifest or a source file cannot be read.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let metadata = MetadataCommand::new()
            .current_dir(root)
            .no_deps()
            .exec()
            .context("cannot read the workspace's manifests")?;
        let mut crates = Vec::new();
        for package in &metadata.packages {
            let manifest_path = package.manifest_path.as_std_path();
            let imports = package.dependencies.iter().map(|dependency| Import {
                package: dependency.name.clone(),
                for_tests: dependency.kind == DependencyKind::Development,
            });
            crates.push(Crate {
                package: package.name.to_string(),
                folder: relative(root, manifest_path.parent().unwrap_or(root)),
                manifest: read_text(manifest_path)?,
                imports: imports.collect(),
            });
        }
        crates.sort_by(|one, other| one.folder.cmp(&other.folder));

        let mut top_folders = Vec::new();
        let mut sources = Vec::new();
        for entry in fs::read_dir(root)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_ours = !name.starts_with('.') && name != "target";
            if is_ours && entry.file_type()?.is_dir() {
                collect_sources(root, &entry.path(), &mut sources)?;
                top_folders.push(name);
            }
        }
        top_folders.sort();
        sources.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(Self {
            crates,
            top_folders,
            sources,
        })
    }
}

fn collect_sources(root: &Path, folder: &Path, sources: &mut Vec<Source>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            collect_sources(root, &path, sources)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(Source {
                path: relative(root, &path),
                text: read_text(&path)?,
            });
        }
    }
    Ok(())
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root)
        .unwrap_or(path)
        .to_string_lossy()
        .into_owned()
}

fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
