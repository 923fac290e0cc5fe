//! What source text may name: in a service, only `wire.rs` knows which adapter stands behind a port.

use super::Violation;
use super::rules::ADAPTERS;
use super::workspace::{Source, Workspace};

/// Every line of a service that names an adapter outside its wiring.
pub(super) fn check(workspace: &Workspace) -> Vec<Violation> {
    let services = workspace
        .sources
        .iter()
        .filter(|source| is_in_a_service(&source.path));
    services
        .filter(|source| !is_wiring(&source.path))
        .flat_map(check_file)
        .collect()
}

fn is_in_a_service(path: &str) -> bool {
    let mut parts = path.split('/');
    parts.next() == Some("services") && parts.nth(1) == Some("src")
}

fn is_wiring(path: &str) -> bool {
    path.ends_with("/wire.rs") || path.contains("/wire/")
}

fn check_file(source: &Source) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        if line.trim_start().starts_with("//") {
            continue;
        }
        for adapter in ADAPTERS.iter().filter(|adapter| names(line, adapter)) {
            violations.push(Violation {
                place: format!("{}:{}", source.path, index + 1),
                broken: format!("names the adapter {adapter}"),
                reason: "both modes run the same code; only wire.rs knows which adapters stand behind it"
                    .to_owned(),
                advice: "build it in wire.rs and pass it on as its port".to_owned(),
            });
        }
    }
    violations
}

/// Whether `line` holds `name` as a whole word.
fn names(line: &str, name: &str) -> bool {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    line.match_indices(name).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + name.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(path: &str, text: &str) -> Vec<String> {
        let source = Source {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        let workspace = Workspace {
            sources: vec![source],
            ..Workspace::default()
        };
        check(&workspace)
            .into_iter()
            .map(|violation| violation.place)
            .collect()
    }

    #[test]
    fn a_service_names_an_adapter_in_its_wiring_only() {
        let text = "//! Serves.\nuse tintype_store::Sqlite;\n";
        assert_eq!(
            places("services/tintype/src/main.rs", text),
            ["services/tintype/src/main.rs:2"]
        );
        assert_eq!(places("services/tintype/src/wire.rs", text), [""; 0]);
        assert_eq!(places("services/tintype/src/wire/store.rs", text), [""; 0]);
        assert_eq!(places("services/tintype/tests/it/main.rs", text), [""; 0]);
    }

    #[test]
    fn comments_and_longer_names_are_no_use_of_an_adapter() {
        let text = "// tintype_store is wired elsewhere\nlet my_tintype_store_x = 1;\n";
        assert_eq!(places("services/tintype/src/main.rs", text), [""; 0]);
    }
}
