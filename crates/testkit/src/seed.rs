//! Randomness that can be repeated.

use std::env;
use std::hash::{BuildHasher as _, RandomState};
use std::process;
use std::sync::OnceLock;

/// The seed of this test process: `TINTYPE_SEED` when set, else a random one. It is printed once, so
/// that a failed run can be repeated.
///
/// # Panics
/// When `TINTYPE_SEED` is not a whole number of 64 bits.
#[must_use]
pub fn seed() -> u64 {
    static SEED: OnceLock<u64> = OnceLock::new();
    *SEED.get_or_init(|| {
        let seed = match env::var("TINTYPE_SEED") {
            Ok(text) => parse(&text),
            Err(_) => entropy(),
        };
        eprintln!("TINTYPE_SEED={seed} repeats the random choices of this test");
        seed
    })
}

fn parse(text: &str) -> u64 {
    text.trim()
        .parse()
        .unwrap_or_else(|_| panic!("TINTYPE_SEED={text} is not a number from 0 to {}", u64::MAX))
}

/// 64 bits from the operating system: what the standard library keys its hash maps with.
pub(crate) fn entropy() -> u64 {
    RandomState::new().hash_one(process::id())
}

#[cfg(test)]
mod tests {
    use super::{entropy, parse, seed};

    #[test]
    fn a_process_has_one_seed() {
        assert_eq!(seed(), seed());
    }

    #[test]
    fn entropy_differs_from_call_to_call() {
        assert_ne!(entropy(), entropy());
    }

    #[test]
    #[should_panic(expected = "TINTYPE_SEED=tea is not a number")]
    fn a_seed_that_is_no_number_is_refused() {
        parse("tea");
    }
}
