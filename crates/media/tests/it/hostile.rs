//! Mutated files never panic, never hang, and never take more than their length in work.

use proptest::prelude::*;

use crate::{SAMPLES, inspect, inspect_in_pieces};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn mutated_samples_do_not_panic(
        which in 0..SAMPLES.len(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..24),
        cut in any::<prop::sample::Index>(),
        piece in 1_usize..2_000,
    ) {
        let sample = &SAMPLES[which];
        let mut bytes = sample.bytes.to_vec();
        for (at, value) in edits {
            // Most structure stands in the first kilobyte.
            let at = at.index(bytes.len());
            bytes[at % 1_024.min(sample.bytes.len())] = value;
        }
        let whole = inspect(sample.mime_type, &bytes);
        prop_assert_eq!(whole, inspect_in_pieces(sample.mime_type, &bytes, piece));
        bytes.truncate(cut.index(bytes.len()));
        let _ = inspect(sample.mime_type, &bytes);
    }

    #[test]
    fn noise_does_not_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..3_000), which in 0..SAMPLES.len()) {
        let sample = &SAMPLES[which];
        let _ = inspect(sample.mime_type, &bytes);
        // Noise behind a true beginning.
        bytes.splice(0..0, sample.bytes[..64].iter().copied());
        let _ = inspect(sample.mime_type, &bytes);
    }
}
