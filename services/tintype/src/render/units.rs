//! Numbers and foreign text as a person reads them.

use std::time::Duration;

const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/// `60.0 KiB`, `512 B`.
pub(crate) fn bytes(value: u64) -> String {
    if value < 1024 {
        return format!("{value} B");
    }
    let mut unit = 1;
    let mut whole = value;
    while whole >= 1024 * 1024 && unit + 1 < UNITS.len() {
        whole /= 1024;
        unit += 1;
    }
    // Cut, never rounded up: "1024.0 KiB" would be wrong.
    let tenths = whole % 1024 * 10 / 1024;
    format!("{}.{tenths} {}", whole / 1024, UNITS[unit])
}

/// `12,345`.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 item`, `2,000 items`.
pub(crate) fn counted(value: u64, word: &str) -> String {
    let plural = if value == 1 { "" } else { "s" };
    format!("{} {word}{plural}", count(value))
}

/// `0.4 s`, `12 s`, `3 min 05 s`, `2 h 40 min`.
pub(crate) fn span(value: Duration) -> String {
    let seconds = value.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", value.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Text from outside that cannot move the cursor, turn the line around or fill the screen: at most 80 characters.
pub(crate) fn printable(text: &str) -> String {
    harmless(text, 80)
}

/// The same for what somebody has to say: at most 500 characters.
pub(crate) fn sentence(text: &str) -> String {
    harmless(text, 500)
}

fn harmless(text: &str, longest: usize) -> String {
    let harmless = |c: char| {
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || turns {
            '\u{fffd}'
        } else {
            c
        }
    };
    let mut shown: String = text.chars().take(longest).map(harmless).collect();
    if text.chars().nth(longest).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_use_the_largest_unit_that_fits() {
        let shown = [0, 1023, 1024, 61_440, 1_048_575, 1_048_576, 5_000_000_000].map(bytes);
        let expected = [
            "0 B",
            "1023 B",
            "1.0 KiB",
            "60.0 KiB",
            "1023.9 KiB",
            "1.0 MiB",
            "4.6 GiB",
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn counts_have_separators() {
        let shown = [7, 999, 1000, 75_000, 1_234_567].map(count);
        assert_eq!(shown, ["7", "999", "1,000", "75,000", "1,234,567"]);
    }

    #[test]
    fn spans_grow_coarser() {
        let shown = [0.42, 12.7, 185.0, 9_600.0].map(|it| span(Duration::from_secs_f64(it)));
        assert_eq!(shown, ["0.4 s", "12 s", "3 min 05 s", "2 h 40 min"]);
    }

    #[test]
    fn a_hostile_name_cannot_steer_the_terminal() {
        let shown = printable("a\u{1b}[2J\u{202e}gpj.exe\n");
        assert!(
            !shown.chars().any(char::is_control) && !shown.contains('\u{202e}'),
            "{shown}"
        );
        assert_eq!(printable(&"x".repeat(4096)).chars().count(), 81);
        assert_eq!(sentence(&"x".repeat(4096)).chars().count(), 501);
    }
}
