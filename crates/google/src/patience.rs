//! How long one call goes on trying: counts its repetitions and says when the next attempt is due.

use std::time::Duration;

use tintype_ports::clock::Entropy;

use crate::{failure::Passing, settings::RetryPolicy};

/// The patience of one call.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Patience {
    troubles: u32,
    throttles: u32,
}

impl Patience {
    /// How long to wait after a failure; `None` when the call has been repeated often enough.
    pub(crate) fn wait_after(
        &mut self,
        failure: &Passing,
        policy: &RetryPolicy,
        entropy: &dyn Entropy,
    ) -> Option<Duration> {
        let (count, limit, first, longest) = if failure.throttled {
            let limit = policy.throttle_retries;
            (
                &mut self.throttles,
                limit,
                policy.first_throttle_wait,
                policy.longest_throttle_wait,
            )
        } else {
            (
                &mut self.troubles,
                policy.retries,
                policy.first_wait,
                policy.longest_wait,
            )
        };
        if *count >= limit {
            return None;
        }
        let doublings = (*count).min(16);
        *count += 1;
        let wait = match failure.retry_after {
            Some(asked) => asked.min(policy.longest_retry_after),
            None => first.saturating_mul(1 << doublings).min(longest),
        };
        Some(wait.mul_f64(1.0 + entropy.unit() / 2.0))
    }

    /// Forgets past failures, because the call has since made real progress.
    pub(crate) fn renew(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Fixed(f64);

    impl Entropy for Fixed {
        fn id_bytes(&self) -> [u8; 10] {
            [0; 10]
        }

        fn unit(&self) -> f64 {
            self.0
        }
    }

    fn failure(throttled: bool, retry_after: Option<u64>) -> Passing {
        let retry_after = retry_after.map(Duration::from_secs);
        Passing {
            throttled,
            retry_after,
            ..Passing::trouble(String::new())
        }
    }

    fn waits(failure: &Passing, unit: f64) -> Vec<u64> {
        let mut patience = Patience::default();
        let policy = RetryPolicy::default();
        std::iter::from_fn(|| patience.wait_after(failure, &policy, &Fixed(unit)))
            .map(|wait| wait.as_secs())
            .collect()
    }

    #[test]
    fn waits_double_from_one_second_and_end() {
        assert_eq!(waits(&failure(false, None), 0.0), [1, 2, 4, 8, 16]);
    }

    #[test]
    fn a_throttled_call_waits_from_thirty_seconds_and_jitter_only_lengthens() {
        assert_eq!(waits(&failure(true, None), 0.0), [30, 60, 120, 240, 240]);
        assert_eq!(waits(&failure(true, None), 0.5)[..2], [37, 75]);
    }

    #[test]
    fn retry_after_is_honoured_up_to_a_bound() {
        assert_eq!(waits(&failure(true, Some(7)), 0.0)[0], 7);
        assert_eq!(waits(&failure(false, Some(86_400)), 0.0)[0], 300);
    }

    #[test]
    fn throttling_and_trouble_are_counted_apart() {
        let policy = RetryPolicy {
            retries: 1,
            throttle_retries: 1,
            ..RetryPolicy::default()
        };
        let mut patience = Patience::default();
        let mut next = |throttled| {
            patience
                .wait_after(&failure(throttled, None), &policy, &Fixed(0.0))
                .is_some()
        };
        assert_eq!(
            [next(false), next(true), next(false), next(true)],
            [true, true, false, false]
        );
    }
}
