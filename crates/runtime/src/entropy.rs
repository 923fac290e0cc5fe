//! The machine's randomness, for ids and jitter.

use rand::Rng;
use tintype_ports::clock::Entropy;

/// The thread's generator, seeded by the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "the home of randomness")]
    fn id_bytes(&self) -> [u8; 10] {
        rand::rng().random()
    }

    #[expect(clippy::disallowed_methods, reason = "the home of randomness")]
    fn unit(&self) -> f64 {
        rand::rng().random()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_between_zero_and_one_and_ids_differ() {
        assert!((0..1000).all(|_| (0.0..1.0).contains(&SystemEntropy.unit())));
        assert_ne!(SystemEntropy.id_bytes(), SystemEntropy.id_bytes());
    }
}
