//! How much a test does.

use std::env;

/// `full` when `TINTYPE_TEST_FULL` is 1, else `usual`: the numbers that a promise is made with, and fewer for every day.
///
/// # Panics
/// When `TINTYPE_TEST_FULL` is neither 0 nor 1.
#[must_use]
pub fn sized<T>(usual: T, full: T) -> T {
    if is_full(env::var("TINTYPE_TEST_FULL").ok().as_deref()) {
        full
    } else {
        usual
    }
}

fn is_full(variable: Option<&str>) -> bool {
    match variable {
        None | Some("" | "0") => false,
        Some("1") => true,
        Some(other) => panic!("TINTYPE_TEST_FULL={other} is neither 0 nor 1"),
    }
}

#[cfg(test)]
mod tests {
    use super::is_full;

    #[test]
    fn only_a_one_asks_for_the_full_numbers() {
        assert!(is_full(Some("1")));
        assert!(!is_full(None) && !is_full(Some("0")));
    }

    #[test]
    #[should_panic(expected = "neither 0 nor 1")]
    fn a_word_is_refused() {
        is_full(Some("yes"));
    }
}
