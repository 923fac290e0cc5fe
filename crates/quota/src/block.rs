//! How many units to take at once: enough that whoever gives them is rarely asked, few enough that none are stranded.

/// A part that is taken is at most this part of the day's limit,
const PARTS_OF_LIMIT: u64 = 50;
/// and at most this part of what is left, so that the last units stay within reach of everybody.
pub(crate) const PARTS_OF_REST: u64 = 20;
/// But not less than this part of the limit: so few may lie idle at midnight.
const PARTS_AT_LEAST: u64 = 2_000;
/// No purse of a process takes more at once.
const MAX_SHARE: u64 = 5_000;
/// No counter that stands alone leases more at once: what it holds when it crashes is lost.
const MAX_BLOCK: u64 = 500;
/// While there is no pool to share it through, no process leases more at once.
const MAX_LONE_BLOCK: u64 = 50;
/// A pool is filled for so many takings at once.
const SHARES_A_BLOCK: u64 = 2;

/// Units for one purse when `left` of `limit` are left for all, and a call needs `needed`.
pub(crate) fn share(limit: u64, left: u64, needed: u64) -> u64 {
    let share = (left / PARTS_OF_REST).max(least(limit));
    share.min(most(limit)).max(needed)
}

/// The most that one purse takes of a day's `limit`.
pub(crate) fn most(limit: u64) -> u64 {
    (limit / PARTS_OF_LIMIT).min(MAX_SHARE)
}

/// What one purse takes of a day's `limit` even if hardly anything is left.
pub(crate) const fn least(limit: u64) -> u64 {
    limit / PARTS_AT_LEAST
}

/// Units to lease when `left` of `limit` are not leased and a call needs `needed`, for a counter that stands alone.
pub(crate) fn size(limit: u64, left: u64, needed: u64) -> u64 {
    share(limit, left, needed).min(MAX_BLOCK.max(needed))
}

/// As [`size`], for a process whose pool is out of reach.
pub(crate) fn lone(limit: u64, left: u64, needed: u64) -> u64 {
    share(limit, left, needed).min(MAX_LONE_BLOCK.max(needed))
}

/// As [`size`], for a pool that several processes take from.
pub(crate) fn pool(limit: u64, left: u64, needed: u64) -> u64 {
    share(limit, left, needed).saturating_mul(SHARES_A_BLOCK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_shrink_towards_the_end_of_the_day() {
        let sizes = [10_000, 4_000, 1_000, 40, 3, 0].map(|left| size(10_000, left, 1));
        assert_eq!(sizes, [200, 200, 50, 5, 5, 5]);
        assert_eq!(size(1_000_000, 900_000, 1), 500);
        assert_eq!(size(10_000, 0, 7), 7);
        assert_eq!(size(100, 40, 1), 2);
    }

    #[test]
    fn a_pool_takes_more_and_a_process_without_one_less() {
        assert_eq!(pool(10_000, 10_000, 1), 400);
        assert_eq!(pool(100_000_000, 100_000_000, 1), 10_000);
        assert_eq!(lone(10_000, 10_000, 1), 50);
        assert_eq!(lone(10_000, 10_000, 70), 70);
    }
}
