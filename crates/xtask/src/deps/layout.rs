//! Folders, lints and file lengths.

use super::Violation;
use super::rules::{LONG_FILES, MAX_LINES, TOP_FOLDERS};
use super::workspace::{Crate, Source, Workspace};

/// Every folder, crate and file that stands where or how it may not.
pub(super) fn check(workspace: &Workspace) -> Vec<Violation> {
    let folders = workspace
        .top_folders
        .iter()
        .filter_map(|folder| check_folder(folder));
    let crates = workspace.crates.iter().filter_map(check_lints);
    let files = workspace.sources.iter().filter_map(check_length);
    folders.chain(crates).chain(files).collect()
}

fn check_folder(folder: &str) -> Option<Violation> {
    (!TOP_FOLDERS.contains(&folder)).then(|| Violation {
        place: format!("{folder}/"),
        broken: "is not one of the top-level folders".to_owned(),
        reason: "a newcomer finds the room for a change from the folder names alone".to_owned(),
        advice: format!("move it into one of {}", TOP_FOLDERS.join(", ")),
    })
}

fn check_lints(room: &Crate) -> Option<Violation> {
    (!inherits_lints(&room.manifest)).then(|| Violation {
        place: format!("{}/Cargo.toml", room.folder),
        broken: "does not inherit the lints of the workspace".to_owned(),
        reason: "the same lints hold everywhere, unsafe_code = \"forbid\" among them".to_owned(),
        advice: "add the lines `[lints]` and `workspace = true`".to_owned(),
    })
}

fn inherits_lints(manifest: &str) -> bool {
    let mut lines = manifest.lines().map(str::trim);
    lines.by_ref().any(|line| line == "[lints]")
        && lines
            .take_while(|line| !line.starts_with('['))
            .any(|line| line == "workspace = true")
}

fn check_length(source: &Source) -> Option<Violation> {
    let lines = source.text.lines().count();
    let is_excused = LONG_FILES.contains(&source.path.as_str());
    (lines > MAX_LINES && !is_excused).then(|| Violation {
        place: source.path.clone(),
        broken: format!("has {lines} lines; {MAX_LINES} is the limit"),
        reason: "a file that needs a table of contents is two files".to_owned(),
        advice: "split it by what its parts are for".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_manifest(manifest: &str) -> Workspace {
        let room = Crate {
            package: "tintype-model".to_owned(),
            folder: "crates/model".to_owned(),
            manifest: manifest.to_owned(),
            imports: Vec::new(),
        };
        Workspace {
            crates: vec![room],
            ..Workspace::default()
        }
    }

    fn with_lines(count: usize) -> Workspace {
        let source = Source {
            path: "crates/model/src/lib.rs".to_owned(),
            text: "x\n".repeat(count),
        };
        Workspace {
            sources: vec![source],
            ..Workspace::default()
        }
    }

    #[test]
    fn a_new_top_level_folder_is_named() {
        let top_folders = vec!["crates".to_owned(), "scripts".to_owned()];
        let workspace = Workspace {
            top_folders,
            ..Workspace::default()
        };
        let violations = check(&workspace);
        assert_eq!(violations.len(), 1);
        assert_eq!(violations[0].place, "scripts/");
    }

    #[test]
    fn a_crate_that_does_not_inherit_the_lints_is_named() {
        assert_eq!(
            check(&with_manifest("[package]\n[lints]\nworkspace = true\n")),
            []
        );
        assert_eq!(check(&with_manifest("[package]\nname = \"x\"\n")).len(), 1);
        let another_table = "[lints]\n[dependencies]\nworkspace = true\n";
        assert_eq!(check(&with_manifest(another_table)).len(), 1);
    }

    #[test]
    fn a_file_past_the_limit_is_named() {
        assert_eq!(check(&with_lines(MAX_LINES)), []);
        let violations = check(&with_lines(MAX_LINES + 1));
        assert_eq!(violations.len(), 1);
        assert_eq!(violations[0].broken, "has 401 lines; 400 is the limit");
    }
}
