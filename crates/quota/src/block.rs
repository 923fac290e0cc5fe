//! How many units to lease at once: enough that the ledger is rarely asked, few enough that none are stranded.

/// No block is larger.
const MAX_BLOCK: u64 = 500;
/// A block is at most this part of the day's limit,
const PARTS_OF_LIMIT: u64 = 50;
/// and at most this part of what is left, so that the last units stay within reach of every counter.
const PARTS_OF_REST: u64 = 20;

/// Units to ask for when `left` of `limit` are not leased and a call needs `needed`.
pub(crate) fn size(limit: u64, left: u64, needed: u64) -> u64 {
    let block = (limit / PARTS_OF_LIMIT)
        .min(left / PARTS_OF_REST)
        .min(MAX_BLOCK);
    block.max(needed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_shrink_towards_the_end_of_the_day() {
        let sizes = [10_000, 4_000, 1_000, 40, 3, 0].map(|left| size(10_000, left, 1));
        assert_eq!(sizes, [200, 200, 50, 2, 1, 1]);
        assert_eq!(size(1_000_000, 900_000, 1), 500);
        assert_eq!(size(10_000, 0, 7), 7);
    }
}
