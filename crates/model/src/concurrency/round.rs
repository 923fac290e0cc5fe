//! One round of calls: what came of about one call per slot.

/// A round lasts at least this long, so that its goodput can be measured in milliseconds.
const MIN_ROUND_MS: u64 = 20;
/// A round of few calls is trusted once it lasted this long.
const SMALL_ROUND_MS: u64 = 200;
/// A round of this many calls is large enough to be trusted as soon as every slot was used once.
const TRUSTED_SAMPLES: u32 = 16;
/// So many failures, if they are half of the round, are a burst.
const BURST: u32 = 4;

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Round {
    started_ms: u64,
    last_ms: u64,
    ok: u32,
    failed: u32,
    samples: u32,
    in_flight_sum: u64,
    latency_sum: f64,
}

impl Round {
    pub(super) fn from(started_ms: u64) -> Self {
        Self {
            started_ms,
            last_ms: started_ms,
            ..Self::default()
        }
    }

    /// A round that begins with the call that ended now.
    pub(super) fn with_first(now_ms: u64, latency_ms: f64) -> Self {
        Self::from(now_ms.saturating_sub(whole_ms(latency_ms)))
    }

    /// True when nothing was under way for a while: the round would measure our own idleness.
    pub(super) fn is_broken(&self, now_ms: u64, latency_ms: f64) -> bool {
        gap(self.last_ms, now_ms) > latency_ms.max(0.0).mul_add(4.0, 100.0)
    }

    pub(super) fn add(&mut self, now_ms: u64, in_flight: u32, latency_ms: f64, is_ok: bool) {
        self.last_ms = now_ms;
        self.samples += 1;
        self.in_flight_sum += u64::from(in_flight);
        self.latency_sum += latency_ms.max(0.0);
        self.ok += u32::from(is_ok);
        self.failed += u32::from(!is_ok);
    }

    pub(super) fn is_complete(&self, limit: u32, now_ms: u64) -> bool {
        let elapsed_ms = now_ms.saturating_sub(self.started_ms);
        let is_trusted = self.samples >= TRUSTED_SAMPLES || elapsed_ms >= SMALL_ROUND_MS;
        elapsed_ms >= MIN_ROUND_MS && self.samples >= limit && is_trusted
    }

    pub(super) const fn is_failing(&self) -> bool {
        self.failed >= BURST && self.failed * 2 >= self.samples
    }

    pub(super) fn mean_latency_ms(&self) -> f64 {
        self.latency_sum / f64::from(self.samples.max(1))
    }

    /// True when at least four fifths of the slots were in use.
    pub(super) fn uses(&self, limit: u32) -> bool {
        let mean_in_flight = self.in_flight_sum / u64::from(self.samples.max(1));
        (mean_in_flight + 1) * 5 >= u64::from(limit) * 4
    }

    /// Successes per millisecond.
    pub(super) fn goodput(&self, now_ms: u64) -> f64 {
        f64::from(self.ok) / gap(self.started_ms, now_ms).max(1.0)
    }
}

pub(super) fn whole_ms(latency_ms: f64) -> u64 {
    let latency = std::time::Duration::try_from_secs_f64(latency_ms / 1_000.0).unwrap_or_default();
    u64::try_from(latency.as_millis()).unwrap_or(u64::MAX)
}

fn gap(from_ms: u64, to_ms: u64) -> f64 {
    // A gap of more than 49 days is as good as endless.
    u32::try_from(to_ms.saturating_sub(from_ms)).map_or(f64::INFINITY, f64::from)
}
