//! When a proxy rests: after a few failures in a row, for a time that grows and is bounded.

use std::time::Duration;

use tokio::time::Instant;

use super::ProxySettings;

/// How a proxy has fared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Rest {
    failures: u32,
    rests: u32,
    until: Option<Instant>,
}

/// Whether it may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// As any.
    Open,
    /// It has rested; one download shows whether it works again.
    OnTrial,
    /// Not now.
    Resting,
}

impl Rest {
    pub(super) fn state(&self, now: Instant) -> State {
        match self.until {
            None => State::Open,
            Some(until) if now >= until => State::OnTrial,
            Some(_) => State::Resting,
        }
    }

    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// Notes a failure; says for how long it rests, if that begins now. `unit` in `0.0..1.0` spreads the ends of rests.
    pub(super) fn failed(
        &mut self,
        now: Instant,
        unit: f64,
        settings: &ProxySettings,
    ) -> Option<Duration> {
        self.failures = self.failures.saturating_add(1);
        match self.state(now) {
            State::Open if self.failures < settings.failures => return None,
            // A test has asked it meanwhile.
            State::Resting => return None,
            State::Open | State::OnTrial => {}
        }
        let doublings = self.rests.min(16);
        self.rests += 1;
        let longest = settings
            .first_rest
            .saturating_mul(1 << doublings)
            .min(settings.longest_rest);
        let rest = longest.mul_f64(0.75 + unit / 4.0);
        self.until = Some(now + rest);
        Some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: ProxySettings = ProxySettings {
        head: Duration::ZERO,
        silence: Duration::ZERO,
        body: Duration::ZERO,
        body_mib: Duration::ZERO,
        wait: Duration::ZERO,
        waiting: 0,
        test: Duration::ZERO,
        retries: 0,
        retry_after: Duration::ZERO,
        failures: 3,
        first_rest: Duration::from_secs(30),
        longest_rest: Duration::from_secs(100),
    };

    #[tokio::test]
    async fn it_rests_after_failures_in_a_row_for_a_time_that_doubles_up_to_a_bound() {
        let mut rest = Rest::default();
        let mut now = Instant::now();
        assert_eq!(rest.failed(now, 1.0, &SETTINGS), None);
        assert_eq!(rest.failed(now, 1.0, &SETTINGS), None);
        let mut rests = Vec::new();
        for _ in 0..4 {
            let begun = rest.failed(now, 1.0, &SETTINGS).unwrap();
            assert_eq!(rest.state(now), State::Resting);
            assert_eq!(rest.failed(now, 1.0, &SETTINGS), None, "it rests already");
            now += begun;
            assert_eq!(rest.state(now), State::OnTrial);
            rests.push(begun.as_secs());
        }
        assert_eq!(rests, [30, 60, 100, 100]);
        rest.succeeded();
        assert_eq!((rest, rest.state(now)), (Rest::default(), State::Open));
    }

    #[tokio::test]
    async fn a_success_in_between_forgives_and_chance_only_shortens() {
        let mut rest = Rest::default();
        let now = Instant::now();
        for _ in 0..5 {
            assert_eq!(rest.failed(now, 0.0, &SETTINGS), None);
            assert_eq!(rest.failed(now, 0.0, &SETTINGS), None);
            rest.succeeded();
        }
        rest.failed(now, 0.0, &SETTINGS);
        rest.failed(now, 0.0, &SETTINGS);
        let begun = rest.failed(now, 0.0, &SETTINGS).unwrap();
        assert_eq!(begun, Duration::from_millis(22_500));
    }
}
