//! Deterministic mixing: everything the emulator "invents" follows from a seed and an index.

/// One step of SplitMix64: a well spread 64-bit value for `value`.
#[must_use]
pub(crate) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Mixes two values into one.
#[must_use]
pub(crate) fn mix2(a: u64, b: u64) -> u64 {
    mix(mix(a) ^ b.rotate_left(32))
}

/// A number in `0..bound` for a seed and an index; 0 when `bound` is 0.
#[must_use]
pub(crate) fn below(seed: u64, index: u64, bound: u64) -> u64 {
    let spread = u128::from(mix2(seed, index)) * u128::from(bound);
    u64::try_from(spread >> 64).unwrap_or(0)
}

/// Whether the pair falls into the given fraction (0.0 to 1.0) of all pairs.
#[must_use]
pub(crate) fn in_fraction(seed: u64, index: u64, fraction: f64) -> bool {
    const SCALE: u64 = 1 << 32;
    let drawn = below(seed, index, SCALE);
    #[expect(clippy::cast_precision_loss, reason = "32-bit values are exact in f64")]
    let position = drawn as f64 / SCALE as f64;
    position < fraction
}

/// A short, URL-safe random-looking string of `bytes` random bytes, for tokens.
#[must_use]
pub(crate) fn opaque(seed: u64, serial: u64, bytes: usize) -> String {
    use base64::Engine as _;
    let mut raw = Vec::with_capacity(bytes + 8);
    let mut step = 0;
    while raw.len() < bytes {
        raw.extend_from_slice(&mix2(mix2(seed, serial), step).to_le_bytes());
        step += 1;
    }
    raw.truncate(bytes);
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(raw)
}
