//! Which names are files for people, and which paths can be read.

use tintype_ports::ArchiveError;

/// Longest path below the root, in bytes. No file system of today makes longer ones easily, and no object store has any.
const LONGEST_PATH: usize = 4096;
/// What systems and programs keep beside photos, whatever the case.
const KEPT_BY_SYSTEMS: [&str; 4] = ["Thumbs.db", "desktop.ini", "@eaDir", "__MACOSX"];
/// Endings of files that say something of the photo beside them.
const SIDECARS: [&str; 3] = [".json", ".xmp", ".aae"];

/// Whether a folder or file of this name is left out, with all that is in it.
pub(super) fn is_left_out(name: &str) -> bool {
    let mut kept = KEPT_BY_SYSTEMS.iter();
    name.starts_with('.') || kept.any(|kept| name.eq_ignore_ascii_case(kept))
}

/// Whether a file of this name is no photo but says something of one.
pub(super) fn is_sidecar(name: &str) -> bool {
    let name = name.as_bytes();
    SIDECARS.iter().any(|ending| {
        let start = name.len().saturating_sub(ending.len());
        name[start..].eq_ignore_ascii_case(ending.as_bytes())
    })
}

/// Why a path that was found cannot be read, if it cannot.
pub(super) fn objection(path: &str) -> Option<&'static str> {
    if path.len() > LONGEST_PATH {
        return Some("its path is too long; move it further up");
    }
    if path.split('/').any(str::is_empty) {
        return Some("a folder in its path has no name; move it");
    }
    path.contains('\0')
        .then_some("its name holds a zero byte; rename it")
}

/// Lets pass only what a walk could have given. A backslash is a letter like any other on the systems that we run on.
pub(super) fn check_path(path: &str) -> Result<(), ArchiveError> {
    // `.` and `..` begin with a dot, as all does that is out of sight.
    let refused = objection(path).is_some() || path.split('/').any(is_left_out) || is_sidecar(path);
    if refused {
        return Err(ArchiveError::Settings(format!(
            "{path:?} is the path of no photo below the root"
        )));
    }
    Ok(())
}
