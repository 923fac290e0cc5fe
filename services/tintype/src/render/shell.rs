//! Commands to try next, as they can be typed into the person's own shell.

use std::path::{Path, PathBuf};

/// How this program is called from here: by name where the shell finds it, else by path.
pub(crate) fn program() -> String {
    let Ok(me) = std::env::current_exe() else {
        return "tintype".into();
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join("tintype"))
        .find(|file| file.is_file());
    if found.is_some_and(|file| file.canonicalize().is_ok_and(|file| file == me)) {
        return "tintype".into();
    }
    let here = std::env::current_dir().unwrap_or_default();
    let shown = me
        .strip_prefix(here)
        .map_or_else(|_| me.clone(), PathBuf::from);
    quoted(&shown)
}

/// A path as a shell takes it.
pub(crate) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+".contains(c);
    match text.chars().all(plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_quoted_for_the_shell_where_they_must_be() {
        assert_eq!(
            quoted(Path::new("/tmp/tintype-demo-x/archive")),
            "/tmp/tintype-demo-x/archive"
        );
        assert_eq!(quoted(Path::new("/it's me")), r"'/it'\''s me'");
    }
}
