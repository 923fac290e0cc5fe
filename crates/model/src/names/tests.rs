//! Hostile names: none escapes its folder, none collides.

use std::{
    collections::HashSet,
    path::{Component, Path},
};

use proptest::{prelude::*, strategy::ValueTree};

use super::*;

/// Pieces that names of trouble are made of.
const PIECES: [&str; 30] = [
    "..",
    ".",
    "/",
    "\\",
    "\0",
    "\u{202e}",
    "CON",
    "nul",
    "COM1",
    "LPT¹",
    "a",
    "É",
    "e\u{301}",
    " ",
    "~",
    "0123456789ab",
    ".jpg",
    ".JPG",
    ":",
    "%2f",
    "\u{feff}",
    "\u{200d}",
    "ß",
    "ſ",
    "📷",
    "\r\n",
    "*?",
    "$",
    "\u{2028}",
    "\u{340}",
];

fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(prop::sample::select(&PIECES[..]), 0..12);
    prop_oneof![
        pieces.prop_map(|pieces| pieces.concat()),
        any::<String>(),
        ("[a-zé/~.]{0,8}", 0_usize..600).prop_map(|(text, times)| text.repeat(times)),
    ]
}

fn june() -> Option<DateTime<Utc>> {
    Some("2024-06-30T23:59:59Z".parse().expect("a time"))
}

fn check_component(name: &str) {
    assert!(
        (1..=MAX_NAME_BYTES).contains(&name.len()),
        "{name:?} has {} bytes",
        name.len()
    );
    assert!(!name.contains(['/', '\\', '\0', ':']) && !name.chars().any(char::is_control));
    assert!(!name.chars().any(is_invisible) && !name.ends_with(['.', ' ']) && !is_device(name));
    assert_eq!(name.nfc().collect::<String>(), name);
    let mut components = Path::new(name).components();
    assert!(
        matches!(components.next(), Some(Component::Normal(_))),
        "{name:?}"
    );
    assert_eq!(components.next(), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_name_escapes_its_folder(name in hostile()) {
        let safe = safe_file_name(&name);
        check_component(&safe);
        prop_assert_eq!(&safe_file_name(&safe), &safe, "a safe name is left as it is");
        let distinct = mirror_path_distinct(june(), &name, "0123456789ab");
        let file = distinct.strip_prefix("by-month/2024/2024-06/").expect("the folder");
        check_component(file);
        prop_assert_ne!(path_key(&distinct), path_key(&mirror_path(june(), &name)));
    }

    #[test]
    fn no_plain_path_is_a_distinct_one(name in hostile(), other in hostile()) {
        let distinct = mirror_path_distinct(june(), &other, "0123456789ab");
        prop_assert_ne!(path_key(&mirror_path(june(), &name)), path_key(&distinct));
        // Nor when somebody has copied our own name.
        let file = distinct.rsplit('/').next().expect("a file");
        prop_assert_ne!(path_key(&mirror_path(june(), file)), path_key(&distinct));
    }
}

#[test]
fn ten_thousand_hostile_names_stay_distinct() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut keys = HashSet::new();
    for n in 0_u32..10_000 {
        let name = hostile().new_tree(&mut runner).expect("a name").current();
        let distinct = hex::encode(&blake3::hash(&n.to_le_bytes()).as_bytes()[..6]);
        let path = mirror_path_distinct(june(), &name, &distinct);
        assert!(
            keys.insert(path_key(&path)),
            "{name:?} collides as {path:?}"
        );
    }
}

#[test]
fn an_ordinary_name_is_left_as_it_is() {
    for name in [
        "IMG_0001.JPG",
        "Été à la mer (2).heic",
        "PXL~2.MP.jpg",
        ".nomedia",
        "👨\u{200d}👩.png",
    ] {
        assert_eq!(safe_file_name(name), name);
    }
}

#[test]
fn names_of_trouble_become_harmless() {
    for (name, safe) in [
        ("../../etc/passwd", ".._.._etc_passwd"),
        ("..", "unnamed"),
        ("", "unnamed"),
        (" \u{202e}\0", "_"),
        ("con.jpg", "_con.jpg"),
        ("COM¹", "_COM¹"),
        ("NUL .txt", "_NUL .txt"),
        ("photo\u{202e}gpj.exe", "photogpj.exe"),
        ("a:b|c?.jpg. . ", "a_b_c_.jpg"),
        ("IMG~0123456789AB.jpg", "IMG_0123456789AB.jpg"),
        ("e\u{301}.jpg", "é.jpg"),
    ] {
        assert_eq!(safe_file_name(name), safe, "{name:?}");
    }
}

#[test]
fn a_long_name_keeps_its_extension_and_whole_characters() {
    let name = format!("{}.jpeg", "é".repeat(2_000));
    let safe = safe_file_name(&name);
    assert_eq!(safe, format!("{}.jpeg", "é".repeat(72)));
}

#[test]
fn twins_have_one_key() {
    for (one, other) in [
        ("É.jpg", "e\u{301}.JPG"),
        ("straße", "STRASSE"),
        ("ΑΣ", "ας"),
        ("a\u{200d}b", "AB"),
    ] {
        assert_eq!(path_key(one), path_key(other));
    }
    assert_ne!(path_key("a.jpg"), path_key("b.jpg"));
}

#[test]
fn paths_are_sorted_by_month() {
    assert_eq!(mirror_path(june(), "a.jpg"), "by-month/2024/2024-06/a.jpg");
    assert_eq!(mirror_path(None, "a.jpg"), "by-month/undated/a.jpg");
    assert_eq!(
        mirror_path(Some(DateTime::<Utc>::MAX_UTC), "a.jpg"),
        "by-month/undated/a.jpg"
    );
    assert_eq!(
        mirror_path_distinct(june(), "a.jpg", "0123456789ab"),
        "by-month/2024/2024-06/a~0123456789ab.jpg"
    );
}
