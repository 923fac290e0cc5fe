//! Which items a full listing has shown: one bit an item, so that reconciling half a million items takes 62 KB.

/// A growing set of item sequence numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeenSet {
    words: Vec<u64>,
}

impl SeenSet {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn split(seq: u64) -> (usize, u32) {
        let word = usize::try_from(seq / 64).unwrap_or(usize::MAX);
        let bit = u32::try_from(seq % 64).unwrap_or(0);
        (word, bit)
    }

    /// Adds an item.
    pub fn insert(&mut self, seq: u64) {
        let (word, bit) = Self::split(seq);
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << bit;
    }

    /// Whether the item was added.
    #[must_use]
    pub fn contains(&self, seq: u64) -> bool {
        let (word, bit) = Self::split(seq);
        self.words
            .get(word)
            .is_some_and(|bits| bits & (1 << bit) != 0)
    }

    /// How many items were added.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.words
            .iter()
            .map(|bits| u64::from(bits.count_ones()))
            .sum()
    }

    /// Whether nothing was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|bits| *bits == 0)
    }

    /// The set as a checkpoint holds it: little-endian words.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.words
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect()
    }

    /// A set read back from a checkpoint; bytes beyond the last whole word are ignored.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let (words, _) = bytes.as_chunks::<8>();
        Self {
            words: words.iter().map(|word| u64::from_le_bytes(*word)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn holds_just_what_was_inserted_and_survives_a_checkpoint(seqs in proptest::collection::btree_set(0_u64..5_000, 0..200)) {
            let mut seen = SeenSet::new();
            for seq in &seqs {
                seen.insert(*seq);
            }
            let restored = SeenSet::from_bytes(&seen.to_bytes());
            prop_assert_eq!(&restored, &seen);
            prop_assert_eq!(seen.len(), seqs.len() as u64);
            for seq in 0..5_000 {
                prop_assert_eq!(restored.contains(seq), seqs.contains(&seq));
            }
        }
    }
}
