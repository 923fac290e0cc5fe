//! Which crate may import which: the rooms among each other, and outsiders in their homes.

use super::Violation;
use super::rules::{
    BLACK_BOX, NOT_IN_THE_MODEL, OUTSIDERS, Outsider, ROOMS, SHIPPED, TEST_HELPERS,
};
use super::workspace::{Crate, Import, Workspace};

const SERVICES: &str = "services/";

/// Every import that no rule allows.
pub(super) fn check(workspace: &Workspace) -> Vec<Violation> {
    let mut violations = Vec::new();
    for room in &workspace.crates {
        for import in &room.imports {
            let is_ours = workspace
                .crates
                .iter()
                .any(|known| known.package == import.package);
            if is_ours {
                violations.extend(check_own(room, import));
            } else {
                violations.extend(check_outsider(room, import));
            }
        }
        violations.extend(check_known(room));
    }
    violations
}

fn is_service(room: &Crate) -> bool {
    room.folder.starts_with(SERVICES)
}

/// A crate without a rule would be free to import anything.
fn check_known(room: &Crate) -> Option<Violation> {
    let is_known = is_service(room)
        || room.package == BLACK_BOX
        || ROOMS.iter().any(|known| known.package == room.package);
    (!is_known).then(|| Violation {
        place: room.folder.clone(),
        broken: format!("no rule says what {} may import", room.package),
        reason: "a crate without a rule may import anything".to_owned(),
        advice: "add a `Room` for it to crates/xtask/src/deps/rules.rs".to_owned(),
    })
}

fn check_own(room: &Crate, import: &Import) -> Option<Violation> {
    let name = import.package.as_str();
    if room.package == BLACK_BOX {
        return None;
    }
    if TEST_HELPERS.contains(&name) {
        return check_helper(room, import);
    }
    if is_service(room) {
        return None;
    }
    let rule = ROOMS.iter().find(|known| known.package == room.package)?;
    let is_allowed =
        rule.may_use.contains(&name) || (import.for_tests && rule.tests_may_use.contains(&name));
    (!is_allowed).then(|| Violation {
        place: format!("{}/Cargo.toml", room.folder),
        broken: format!("{} may not import {name}{}", room.package, suffix(import)),
        reason: rule.reason.to_owned(),
        advice: if rule.may_use.is_empty() {
            "move what both need to where both may import it from, or pass it in".to_owned()
        } else {
            format!(
                "it may import {}: take what you need through a port, or pass it in",
                rule.may_use.join(", ")
            )
        },
    })
}

fn check_helper(room: &Crate, import: &Import) -> Option<Violation> {
    let is_shipped = SHIPPED
        .iter()
        .any(|shipped| shipped.helper == import.package && shipped.service == room.package);
    // The testkit and xtask, which are not shipped themselves.
    let is_listed = ROOMS
        .iter()
        .any(|known| known.package == room.package && known.may_use.contains(&&*import.package));
    (!import.for_tests && !is_shipped && !is_listed).then(|| Violation {
        place: format!("{}/Cargo.toml", room.folder),
        broken: format!(
            "{} may import {} in its tests only",
            room.package, import.package
        ),
        reason: "it stands for the outside world; shipped code must not depend on it".to_owned(),
        advice: "move it to [dev-dependencies]".to_owned(),
    })
}

fn check_outsider(room: &Crate, import: &Import) -> Option<Violation> {
    let name = import.package.as_str();
    if room.package == "tintype-model" && NOT_IN_THE_MODEL.contains(&name) {
        return Some(Violation {
            place: format!("{}/Cargo.toml", room.folder),
            broken: format!("tintype-model may not import {name}{}", suffix(import)),
            reason: "the model decides and does nothing else: no waiting, storing or calling"
                .to_owned(),
            advice: "do it in an adapter or a use case, and give the model the values".to_owned(),
        });
    }
    let rule = OUTSIDERS
        .iter()
        .find(|outsider| outsider.crates.contains(&name))?;
    let is_free = room.package == BLACK_BOX || (import.for_tests && rule.free_in_tests);
    (!is_free && !is_home(rule, room)).then(|| Violation {
        place: format!("{}/Cargo.toml", room.folder),
        broken: format!("{} may not import {name}{}", room.package, suffix(import)),
        reason: rule.reason.to_owned(),
        advice: match rule.only_in {
            [] => "do without it".to_owned(),
            homes => format!(
                "its home is {}: ask for what you need there",
                homes.join(", ")
            ),
        },
    })
}

fn is_home(rule: &Outsider, room: &Crate) -> bool {
    rule.only_in
        .iter()
        .any(|home| *home == room.package || (*home == SERVICES && is_service(room)))
}

fn suffix(import: &Import) -> &'static str {
    if import.for_tests {
        ", not even in its tests"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOR_TESTS: bool = true;
    const SHIPPED: bool = false;

    /// A workspace of every crate the rules know, in which `package` imports `imported`.
    fn broken_by(package: &str, imported: &str, for_tests: bool) -> Vec<String> {
        let known = ROOMS.iter().map(|room| (room.package, "crates"));
        let all = known.chain([("tintype", "services"), (BLACK_BOX, "tests")]);
        let crates = all.map(|(name, folder)| {
            let import = Import {
                package: imported.to_owned(),
                for_tests,
            };
            Crate {
                package: name.to_owned(),
                folder: format!("{folder}/{name}"),
                manifest: String::new(),
                imports: if name == package {
                    vec![import]
                } else {
                    Vec::new()
                },
            }
        });
        let workspace = Workspace {
            crates: crates.collect(),
            ..Workspace::default()
        };
        check(&workspace)
            .into_iter()
            .map(|violation| violation.broken)
            .collect()
    }

    #[test]
    fn the_model_imports_nothing_of_ours() {
        assert_eq!(
            broken_by("tintype-model", "tintype-ports", SHIPPED),
            ["tintype-model may not import tintype-ports"]
        );
    }

    #[test]
    fn the_model_does_not_wait_even_in_tests() {
        assert_eq!(
            broken_by("tintype-model", "tokio", FOR_TESTS),
            ["tintype-model may not import tokio, not even in its tests"]
        );
        assert_eq!(broken_by("tintype-app", "tokio", SHIPPED), [""; 0]);
    }

    #[test]
    fn an_adapter_imports_neither_another_adapter_nor_the_use_cases() {
        assert_eq!(
            broken_by("tintype-blob", "tintype-store", FOR_TESTS),
            ["tintype-blob may not import tintype-store, not even in its tests"]
        );
        assert_eq!(
            broken_by("tintype-queue", "tintype-app", SHIPPED),
            ["tintype-queue may not import tintype-app"]
        );
    }

    #[test]
    fn only_google_and_blob_reach_the_client_of_runtime() {
        assert_eq!(
            broken_by("tintype-google", "tintype-runtime", SHIPPED),
            [""; 0]
        );
        assert_eq!(
            broken_by("tintype-quota", "tintype-runtime", SHIPPED).len(),
            1
        );
    }

    #[test]
    fn use_cases_meet_adapters_in_their_tests_only() {
        assert_eq!(
            broken_by("tintype-app", "tintype-store", FOR_TESTS),
            [""; 0]
        );
        assert_eq!(
            broken_by("tintype-app", "tintype-store", SHIPPED),
            ["tintype-app may not import tintype-store"]
        );
    }

    #[test]
    fn what_only_tests_use_may_start_servers() {
        for package in ["tintype-testkit", "xtask"] {
            assert_eq!(broken_by(package, "tintype-servers", SHIPPED), [""; 0]);
        }
        assert_eq!(
            broken_by("tintype-queue", "tintype-servers", SHIPPED),
            ["tintype-queue may import tintype-servers in its tests only"]
        );
    }

    #[test]
    fn test_helpers_are_shipped_by_the_one_binary_alone() {
        assert_eq!(
            broken_by("tintype-google", "tintype-emulator", FOR_TESTS),
            [""; 0]
        );
        assert_eq!(broken_by("tintype", "tintype-emulator", SHIPPED), [""; 0]);
        assert_eq!(
            broken_by("tintype", "tintype-testkit", SHIPPED),
            ["tintype may import tintype-testkit in its tests only"]
        );
        assert_eq!(
            broken_by("tintype-app", "tintype-emulator", SHIPPED),
            ["tintype-app may import tintype-emulator in its tests only"]
        );
    }

    #[test]
    fn the_emulator_and_xtask_know_nothing_of_ours() {
        assert_eq!(
            broken_by("tintype-emulator", "tintype-model", SHIPPED).len(),
            1
        );
        assert_eq!(broken_by("xtask", "tintype-model", SHIPPED).len(), 1);
    }

    #[test]
    fn outsiders_stay_in_their_homes() {
        assert_eq!(
            broken_by("tintype-app", "sqlx", SHIPPED),
            ["tintype-app may not import sqlx"]
        );
        assert_eq!(broken_by("tintype-store", "sqlx", SHIPPED), [""; 0]);
        assert_eq!(
            broken_by("tintype", "age", SHIPPED),
            ["tintype may not import age"]
        );
        assert_eq!(broken_by("tintype-blob", "native-tls", FOR_TESTS).len(), 1);
    }

    #[test]
    fn an_http_client_and_server_are_free_in_tests_and_bound_elsewhere() {
        assert_eq!(broken_by("tintype-blob", "reqwest", FOR_TESTS), [""; 0]);
        assert_eq!(broken_by("tintype-app", "reqwest", SHIPPED).len(), 1);
        assert_eq!(broken_by("tintype", "axum", SHIPPED), [""; 0]);
        assert_eq!(broken_by("tintype-app", "axum", SHIPPED).len(), 1);
    }

    #[test]
    fn black_box_tests_may_use_anything() {
        assert_eq!(broken_by(BLACK_BOX, "tintype-store", SHIPPED), [""; 0]);
        assert_eq!(broken_by(BLACK_BOX, "sqlx", FOR_TESTS), [""; 0]);
    }

    #[test]
    fn a_crate_without_a_rule_is_named() {
        let stranger = Crate {
            package: "tintype-attic".to_owned(),
            folder: "crates/attic".to_owned(),
            manifest: String::new(),
            imports: Vec::new(),
        };
        let workspace = Workspace {
            crates: vec![stranger],
            ..Workspace::default()
        };
        let broken = check(&workspace);
        assert_eq!(broken.len(), 1);
        assert_eq!(
            broken[0].broken,
            "no rule says what tintype-attic may import"
        );
    }

    #[test]
    fn every_name_in_the_rules_is_a_room() {
        let rooms: Vec<&str> = ROOMS.iter().map(|room| room.package).collect();
        let used = ROOMS
            .iter()
            .flat_map(|room| room.may_use.iter().chain(room.tests_may_use));
        let homes = OUTSIDERS.iter().flat_map(|outsider| outsider.only_in);
        for name in used
            .chain(homes)
            .chain(TEST_HELPERS)
            .filter(|name| **name != SERVICES)
        {
            // The one binary is a home too.
            assert!(
                rooms.contains(name) || *name == "tintype",
                "{name} is no room"
            );
        }
    }
}
