//! A bench that serves units one step at a time, and the promises measured on it.

use proptest::prelude::*;

use super::*;

/// Serves one unit of `step` at a time to whoever has work, and counts.
struct Bench {
    fair: FairShare<u32>,
    weights: Vec<u32>,
    left: Vec<u64>,
    served: Vec<u64>,
    step: u64,
}

impl Bench {
    fn new(credit: u64, burst: u64, weights: &[u32], left: &[u64], step: u64) -> Self {
        let served = vec![0; left.len()];
        let fair = FairShare::new(credit, burst);
        Self {
            fair,
            weights: weights.to_vec(),
            left: left.to_vec(),
            served,
            step,
        }
    }

    /// Serves the next in turn; `None` when nobody has work.
    fn serve(&mut self) -> Option<usize> {
        let candidates = (0_u32..)
            .zip(&self.left)
            .zip(&self.weights)
            .filter(|((_, left), _)| **left > 0);
        let candidates = candidates.map(|((key, &backlog), &weight)| Candidate {
            key,
            weight,
            backlog,
        });
        let key = self.fair.pick(candidates)?;
        let at = key as usize;
        let cost = self.step.min(self.left[at]);
        self.fair.charge(key, self.weights[at], cost);
        self.left[at] -= cost;
        self.served[at] += cost;
        Some(at)
    }

    fn serve_units(&mut self, units: u64) {
        let until = self.served.iter().sum::<u64>() + units;
        while self.served.iter().sum::<u64>() < until && self.serve().is_some() {}
    }
}

fn jain(shares: &[f64]) -> f64 {
    let sum: f64 = shares.iter().sum();
    let squares: f64 = shares.iter().map(|share| share * share).sum();
    sum * sum / (shares.len() as f64 * squares)
}

#[test]
fn twenty_tenants_get_equal_shares_although_one_has_fifty_times_the_load() {
    let mut left = vec![20_000; 20];
    left[7] *= 50;
    let mut bench = Bench::new(100, 500, &[1; 20], &left, 100);
    bench.serve_units(20 * 10_000);
    let shares: Vec<f64> = bench.served.iter().map(|units| *units as f64).collect();
    assert!(jain(&shares) >= 0.98, "{shares:?}");
}

#[test]
fn whoever_is_alone_gets_everything() {
    let mut bench = Bench::new(100, 500, &[1, 1], &[100_000, 1_000], 100);
    bench.serve_units(101_000);
    assert_eq!(
        (bench.served, bench.left),
        (vec![100_000, 1_000], vec![0, 0])
    );
}

#[test]
fn memory_is_bounded_by_those_who_are_busy() {
    let mut fair = FairShare::new(10, 10);
    for key in 0..100_000_u32 {
        let picked = fair.pick(std::iter::once(Candidate {
            key,
            weight: 1,
            backlog: 1,
        }));
        assert_eq!(picked, Some(key));
        fair.charge(key, 1, 1);
    }
    assert!(
        fair.remembered() <= MAX_IDLE_KEYS + 2,
        "{}",
        fair.remembered()
    );
}

#[test]
fn nobody_to_serve_is_nobody() {
    assert_eq!(FairShare::<u32>::new(1, 1).pick(std::iter::empty()), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn long_run_shares_follow_the_weights(weights in prop::collection::vec(1_u32..10, 2..12), step in 1_u64..100) {
        let left = vec![u64::MAX / 100; weights.len()];
        let mut bench = Bench::new(5, 10, &weights, &left, step);
        let total: u32 = weights.iter().sum();
        bench.serve_units(u64::from(total) * 50 * step);
        let shares: Vec<f64> =
            bench.served.iter().zip(&weights).map(|(units, weight)| *units as f64 / f64::from(*weight)).collect();
        prop_assert!(jain(&shares) >= 0.98, "{:?}", shares);
    }

    #[test]
    fn a_quiet_tenant_is_done_soon_whenever_it_starts(quiet in 50_u64..500, head_start in 0_u64..50_000, step in 1_u64..50) {
        let mut bench = Bench::new(100, 500, &[1, 1], &[quiet * 20 + head_start, 0], step);
        bench.serve_units(head_start);
        let before = bench.served[0];
        bench.left[1] = quiet;
        while bench.left[1] > 0 {
            bench.serve();
        }
        let served = bench.served[0] - before + quiet;
        prop_assert!(served * 2 <= quiet * 3, "{served} units were served until {quiet} were done");
    }

    #[test]
    fn an_idle_tenant_cannot_hoard(credit in 0_u64..500, burst in 0_u64..500, idle in 1_000_u64..50_000) {
        let left = [u64::MAX / 4, 1, u64::MAX / 4];
        let mut bench = Bench::new(credit, burst, &[1, 1, 1], &left, 10);
        bench.serve();
        bench.left[2] = 0;
        bench.serve_units(idle);
        bench.left[2] = u64::MAX / 8;
        let before = bench.served[0];
        let start = bench.served[2];
        bench.serve_units(20_000);
        let lead = (bench.served[2] - start).saturating_sub(bench.served[0] - before);
        prop_assert!(lead <= credit + 2 * burst + 20, "{lead} units ahead");
    }

    #[test]
    fn nobody_starves(backlogs in prop::collection::vec(1_u64..5_000, 2..20), burst in 0_u64..300) {
        // Others come back with the least backlog for ever; the large one must still get its share.
        let count = backlogs.len() as u64;
        let mut bench = Bench::new(50, burst, &vec![1; backlogs.len()], &backlogs, 1);
        bench.left[0] = 1_000_000;
        let rounds = 600;
        for _ in 0..rounds * count {
            let at = bench.serve().expect("work");
            if at != 0 && bench.left[at] == 0 {
                bench.left[at] = 1;
            }
        }
        prop_assert!(bench.served[0] + burst + 60 >= rounds, "{} of {rounds}", bench.served[0]);
    }
}
