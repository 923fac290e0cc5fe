//! File names from outside, made safe: what a person called a photo decides how its file is named, never where it lies.

#[cfg(test)]
mod tests;

use chrono::{DateTime, Datelike, Utc};
use unicode_normalization::UnicodeNormalization;

/// Longest name in bytes. Leaves room for `~` and a distinction within the 255 bytes of common file systems, and within
/// the 143 characters of encrypted ones for all but non-Latin names.
const MAX_NAME_BYTES: usize = 150;
/// Longest ending, in bytes without its dot, that survives when a name is cut.
const MAX_EXTENSION_BYTES: usize = 16;
/// A stem that ends with `~` and this many hexadecimal digits looks like a distinct name.
const MIN_DISTINCT_DIGITS: usize = 6;
const UNNAMED: &str = "unnamed";

/// One path component that every common file system takes: NFC, 1 to 150 bytes, without separators, control characters,
/// characters that Windows reserves, invisible characters that turn or hide text, or trailing dots and spaces. Device names
/// of Windows get a `_` in front. Never `.` or `..`, and never a name that [`mirror_path_distinct`] makes.
#[must_use]
pub fn safe_file_name(name: &str) -> String {
    let composed: String = name
        .nfc()
        .filter(|&c| !is_invisible(c))
        .map(harmless)
        .nfc()
        .collect();
    let trimmed = trim(&composed);
    if trimmed.is_empty() {
        return UNNAMED.to_owned();
    }
    let named = if is_device(trimmed) {
        format!("_{trimmed}")
    } else {
        trimmed.to_owned()
    };
    let cut = cut_stem(&named, MAX_NAME_BYTES);
    let (stem, extension) = split(&cut);
    join(&not_distinct(stem), extension)
}

/// Names with equal keys are one name on some file system: compared in NFC, without case, without ignorable characters.
/// For paths as well.
#[must_use]
pub fn path_key(path: &str) -> String {
    // Upper case first: ß and ss, ſ and s, ς and σ are one name where names are compared in upper case.
    let folded = path.nfc().filter(|&c| !is_invisible(c) && !is_joiner(c));
    folded
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .nfc()
        .collect()
}

/// Where a mirrored item would like to lie: `by-month/2024/2024-06/NAME.jpg`, or `by-month/undated/NAME.jpg`.
#[must_use]
pub fn mirror_path(created_at: Option<DateTime<Utc>>, filename: &str) -> String {
    format!("{}/{}", month_folder(created_at), safe_file_name(filename))
}

/// Where it lies when another item has that path: `by-month/2024/2024-06/NAME~<distinct>.jpg`. `distinct` is a short text of
/// hexadecimal digits (12 of a hash of provider id and content); distinct texts make distinct paths, and no path of
/// [`mirror_path`] is among them.
#[must_use]
pub fn mirror_path_distinct(
    created_at: Option<DateTime<Utc>>,
    filename: &str,
    distinct: &str,
) -> String {
    debug_assert!(
        distinct.len() >= MIN_DISTINCT_DIGITS && distinct.bytes().all(|b| b.is_ascii_hexdigit()),
        "a distinction is at least {MIN_DISTINCT_DIGITS} hexadecimal digits"
    );
    let name = cut_stem(
        &safe_file_name(filename),
        MAX_NAME_BYTES - 1 - distinct.len().min(64),
    );
    let (stem, extension) = split(&name);
    format!(
        "{}/{}",
        month_folder(created_at),
        join(&format!("{stem}~{distinct}"), extension)
    )
}

fn month_folder(created_at: Option<DateTime<Utc>>) -> String {
    match created_at {
        // Years beyond four digits come from broken clocks; their folders would not sort.
        Some(at) if (1..=9_999).contains(&at.year()) => at.format("by-month/%Y/%Y-%m").to_string(),
        _ => "by-month/undated".to_owned(),
    }
}

/// Characters without a width of their own that reorder or hide text: direction marks, overrides, zero-width spaces.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{00AD}'
            | '\u{034F}'
            | '\u{061C}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'
            | '\u{200E}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{3164}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

/// Characters that shape their neighbours (in emoji and Indic text): kept in names, ignored when names are compared.
const fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}'..='\u{200D}' | '\u{FE00}'..='\u{FE0F}')
}

fn harmless(c: char) -> char {
    match c {
        '/' | '\\' | '<' | '>' | ':' | '"' | '|' | '?' | '*' => '_',
        '\u{2028}' | '\u{2029}' => '_',
        c if c.is_control() => '_',
        c => c,
    }
}

fn trim(name: &str) -> &str {
    name.trim_start()
        .trim_end_matches(|c: char| c == '.' || c.is_whitespace())
}

/// Windows takes these for devices, with any ending.
fn is_device(name: &str) -> bool {
    let first = name
        .split('.')
        .next()
        .unwrap_or_default()
        .trim_end()
        .to_ascii_uppercase();
    if matches!(
        first.as_str(),
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" | "CLOCK$"
    ) {
        return true;
    }
    let port = first
        .strip_prefix("COM")
        .or_else(|| first.strip_prefix("LPT"));
    let mut digits = port.unwrap_or_default().chars();
    let is_digit = |c: char| c.is_ascii_digit() || matches!(c, '¹' | '²' | '³');
    digits.next().is_some_and(is_digit) && digits.next().is_none()
}

/// Stem and extension; a name without a short ASCII ending is all stem.
fn split(name: &str) -> (&str, &str) {
    match name.rsplit_once('.') {
        Some((stem, extension))
            if !stem.is_empty()
                && (1..=MAX_EXTENSION_BYTES).contains(&extension.len())
                && extension.bytes().all(|b| b.is_ascii_alphanumeric()) =>
        {
            (stem, extension)
        }
        _ => (name, ""),
    }
}

fn join(stem: &str, extension: &str) -> String {
    if extension.is_empty() {
        stem.to_owned()
    } else {
        format!("{stem}.{extension}")
    }
}

/// Cuts the stem until the whole has at most `most` bytes. Keeps the extension.
fn cut_stem(name: &str, most: usize) -> String {
    if name.len() <= most {
        return name.to_owned();
    }
    let (stem, extension) = split(name);
    let ending = if extension.is_empty() {
        0
    } else {
        extension.len() + 1
    };
    let room = most.saturating_sub(ending);
    let end = (0..=room.min(stem.len()))
        .rev()
        .find(|&at| stem.is_char_boundary(at))
        .unwrap_or(0);
    join(trim(&stem[..end]), extension)
}

/// A name that looks as if we had made it distinct could be the path of another item: its `~` becomes `_`.
fn not_distinct(stem: &str) -> String {
    match stem.rsplit_once('~') {
        Some((before, digits))
            if digits.len() >= MIN_DISTINCT_DIGITS
                && digits.bytes().all(|b| b.is_ascii_hexdigit()) =>
        {
            format!("{before}_{digits}")
        }
        _ => stem.to_owned(),
    }
}
