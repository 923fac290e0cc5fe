//! How many calls to keep in flight: a limit that climbs while more calls in flight bring more results, and gives way when
//! the other side throttles. Pure: time comes in with each sample.
//!
//! It works in rounds of about one call per slot. A round's goodput (successes per millisecond) is compared with that of the
//! last level that paid: slow start doubles while it pays, then steps of √limit follow, and a level that brings nothing is
//! given back. The plateau is probed again later, upwards and downwards in turn, because services change.

mod round;
#[cfg(test)]
mod tests;

use round::Round;

/// Slow start goes on while doubling the limit raises goodput by this factor.
const DOUBLING_PAYS: f64 = 1.2;
/// A step of a quarter pays when it raises goodput by this factor.
const STEP_PAYS: f64 = 1.05;
/// A plateau this much better than remembered means that the service changed.
const CHANGED: f64 = 1.15;
/// One that brings less than a half at the same limit is another service.
const SLOWER: f64 = 2.0;
/// Latency beyond this multiple of the best is a queue on the other side.
const INFLATED: f64 = 2.5;
/// The best latency is forgotten after one to two of these.
const LATENCY_WINDOW_MS: u64 = 30_000;
/// Bounds of the rest between two probes of a plateau.
const HOLD_MS: (u64, u64) = (500, 8_000);
/// Bounds of the time during which a level that was throttled is not tried again.
const SHUN_MS: (u64, u64) = (5_000, 300_000);
/// At most one decrease in this time, and never two for the same flight of calls.
const DECREASE_GAP_MS: u64 = 200;

/// The range of a limit. `1 <= min <= initial <= max`; values outside are brought into order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Never fewer than this many calls in flight.
    pub min: u32,
    /// Never more than this many.
    pub max: u32,
    /// Where it begins.
    pub initial: u32,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sample {
    /// It did what it was for. Answers such as "not found" count as well: the service is healthy.
    Ok,
    /// The other side asked for fewer calls (429, `SlowDown`, `RESOURCE_EXHAUSTED` other than a daily quota).
    Throttled,
    /// It failed in a way that more calls may make worse: 5xx, reset, deadline.
    Failed,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    SlowStart,
    Climb,
    Hold { until_ms: u64 },
    ProbeDown,
}

/// What a limit brought, in successes per millisecond.
#[derive(Debug, Clone, Copy)]
struct Level {
    limit: u32,
    goodput: f64,
}

/// The adaptive limit. One for each service that is called.
#[derive(Debug, Clone)]
pub struct ConcurrencyLimit {
    bounds: Bounds,
    limit: u32,
    phase: Phase,
    /// Slow start's last doubling has not paid in its first round.
    is_doubted: bool,
    /// The last level that paid.
    anchor: Option<Level>,
    round: Option<Round>,
    /// Samples still to come of calls that began under a higher limit.
    stale: u32,
    hold_ms: u64,
    probe_down_next: bool,
    /// Least round latency of the present and of the last window.
    best_latency: (f64, f64),
    window_ends_ms: u64,
    decreased_ms: Option<u64>,
    /// A level that was throttled, and until when it is not tried again.
    shunned: Option<(u32, u64)>,
    shun_ms: u64,
}

impl ConcurrencyLimit {
    /// A limit at its initial value, in slow start.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        let min = bounds.min.max(1);
        let max = bounds.max.max(min);
        let initial = bounds.initial.clamp(min, max);
        Self {
            bounds: Bounds { min, max, initial },
            limit: initial,
            phase: Phase::SlowStart,
            is_doubted: false,
            anchor: None,
            round: None,
            stale: 0,
            hold_ms: HOLD_MS.0,
            probe_down_next: false,
            best_latency: (f64::INFINITY, f64::INFINITY),
            window_ends_ms: 0,
            decreased_ms: None,
            shunned: None,
            shun_ms: SHUN_MS.0,
        }
    }

    /// How many calls may be in flight now.
    #[must_use]
    pub const fn limit(&self) -> u32 {
        self.limit
    }

    /// Learns how one call ended. `now_ms` comes from a monotonic clock of any origin; `in_flight` is the number of calls
    /// under way when this one ended, itself included; `latency_ms` is its duration.
    pub fn on_sample(&mut self, now_ms: u64, in_flight: u32, latency_ms: f64, outcome: Sample) {
        let is_stale = self.stale > 0;
        self.stale = self.stale.saturating_sub(1);
        if outcome == Sample::Throttled {
            self.on_throttled(now_ms, in_flight, is_stale);
            return;
        }
        if is_stale {
            self.round = Some(Round::from(now_ms));
            return;
        }
        let mut round = self
            .round
            .filter(|round| !round.is_broken(now_ms, latency_ms));
        let round = round.get_or_insert_with(|| Round::with_first(now_ms, latency_ms));
        round.add(now_ms, in_flight, latency_ms, outcome == Sample::Ok);
        let round = *round;
        self.round = Some(round);
        if round.is_failing() {
            self.decrease(now_ms, in_flight);
            return;
        }
        if round.is_complete(self.limit, now_ms) {
            self.end_round(&round, now_ms, in_flight);
        }
    }

    fn end_round(&mut self, round: &Round, now_ms: u64, in_flight: u32) {
        self.round = Some(Round::from(now_ms));
        let latency = round.mean_latency_ms();
        self.remember_latency(now_ms, latency);
        if !round.uses(self.limit) {
            return;
        }
        let goodput = round.goodput(now_ms);
        let here = Level {
            limit: self.limit,
            goodput,
        };
        let anchor = self.anchor.unwrap_or(Level {
            limit: self.limit,
            goodput: 0.0,
        });
        let best = self.best_latency.0.min(self.best_latency.1);
        let queues = latency > best * INFLATED && goodput <= anchor.goodput * STEP_PAYS;
        let is_slower = here.limit <= anchor.limit && here.goodput * SLOWER < anchor.goodput;
        match self.phase {
            Phase::SlowStart => self.slow_start(here, anchor, now_ms),
            Phase::Climb | Phase::Hold { .. } if is_slower => self.restart(here, latency),
            _ if queues => self.ease(here, now_ms, in_flight),
            Phase::Climb => self.climb(here, anchor, now_ms, in_flight),
            Phase::Hold { until_ms } => self.hold(here, anchor, now_ms, until_ms, in_flight),
            Phase::ProbeDown => self.end_probe(here, anchor, now_ms),
        }
    }

    fn slow_start(&mut self, here: Level, anchor: Level, now_ms: u64) {
        if goodput_pays(here, anchor, DOUBLING_PAYS) {
            self.anchor = Some(here);
            self.is_doubted = false;
            self.raise(self.limit, now_ms);
            if self.limit == here.limit {
                self.rest(now_ms);
            }
            return;
        }
        // One round can be bad luck.
        if !self.is_doubted {
            self.is_doubted = true;
            return;
        }
        self.limit = anchor.limit;
        self.phase = Phase::Climb;
    }

    fn climb(&mut self, here: Level, anchor: Level, now_ms: u64, in_flight: u32) {
        let is_far_enough = here.limit * 4 >= anchor.limit * 5 || here.limit == self.bounds.max;
        if here.limit > anchor.limit && is_far_enough {
            if !goodput_pays(here, anchor, STEP_PAYS) {
                self.lower(anchor.limit, in_flight);
                self.hold_ms = (self.hold_ms * 2).min(HOLD_MS.1);
                self.rest(now_ms);
                return;
            }
            self.anchor = Some(here);
            self.hold_ms = HOLD_MS.0;
        } else if here.limit <= anchor.limit {
            self.anchor = Some(here);
        }
        self.raise(self.limit.isqrt().max(1), now_ms);
        if self.limit == here.limit {
            self.rest(now_ms);
        }
    }

    fn hold(&mut self, here: Level, anchor: Level, now_ms: u64, until_ms: u64, in_flight: u32) {
        if anchor.goodput > 0.0 && here.goodput > anchor.goodput * CHANGED {
            self.anchor = Some(here);
            self.hold_ms = HOLD_MS.0;
            self.phase = Phase::Climb;
            return;
        }
        let goodput = anchor.goodput.mul_add(0.8, here.goodput * 0.2);
        self.anchor = Some(Level {
            limit: here.limit,
            goodput,
        });
        if now_ms < until_ms {
            return;
        }
        self.probe_down_next = !self.probe_down_next;
        if self.probe_down_next && self.limit > self.bounds.min {
            self.lower(self.limit - (self.limit / 4).max(1), in_flight);
            self.phase = Phase::ProbeDown;
            return;
        }
        self.phase = Phase::Climb;
    }

    fn end_probe(&mut self, here: Level, anchor: Level, now_ms: u64) {
        if here.goodput * STEP_PAYS >= anchor.goodput {
            // As much with fewer calls: the others only stood in a queue. Ask again soon whether fewer will do.
            self.anchor = Some(here);
            self.probe_down_next = false;
            self.hold_ms = HOLD_MS.0;
        } else {
            self.limit = anchor.limit;
            self.hold_ms = (self.hold_ms * 2).min(HOLD_MS.1);
        }
        self.rest(now_ms);
    }

    fn rest(&mut self, now_ms: u64) {
        self.phase = Phase::Hold {
            until_ms: now_ms.saturating_add(self.hold_ms),
        };
    }

    /// Gives a tenth back, because calls queue on the other side and bring nothing.
    fn ease(&mut self, here: Level, now_ms: u64, in_flight: u32) {
        self.lower(self.limit - (self.limit / 10).max(1), in_flight);
        self.anchor = Some(Level {
            limit: self.limit,
            goodput: here.goodput,
        });
        self.rest(now_ms);
    }

    /// The service is another one now (larger files, a longer way): what was learned of the old one does not count.
    fn restart(&mut self, here: Level, latency: f64) {
        self.best_latency = (latency, f64::INFINITY);
        self.hold_ms = HOLD_MS.0;
        self.anchor = Some(here);
        self.is_doubted = false;
        self.phase = Phase::SlowStart;
        self.limit = self.limit.saturating_mul(2).min(self.bounds.max);
    }

    fn on_throttled(&mut self, now_ms: u64, in_flight: u32, is_stale: bool) {
        if is_stale || self.is_just_decreased(now_ms) {
            return;
        }
        let level = in_flight.clamp(1, self.limit);
        // Refused again at about the level that was shunned: that is where the service ends, and it is asked less and less
        // often. Refused far below it, or with the least that can be in flight, says nothing of the kind.
        let is_known = self
            .shunned
            .is_some_and(|(known, _)| level * 10 >= known * 9);
        self.shun_ms = if is_known && level > self.bounds.min {
            (self.shun_ms * 2).min(SHUN_MS.1)
        } else {
            SHUN_MS.0
        };
        self.shunned = Some((level, now_ms.saturating_add(self.shun_ms)));
        self.decrease(now_ms, in_flight);
    }

    fn is_just_decreased(&self, now_ms: u64) -> bool {
        self.decreased_ms
            .is_some_and(|at| now_ms.saturating_sub(at) < DECREASE_GAP_MS)
    }

    fn decrease(&mut self, now_ms: u64, in_flight: u32) {
        self.round = None;
        if self.is_just_decreased(now_ms) {
            return;
        }
        let lower = match (self.phase, self.anchor) {
            // The last doubling was too much; the level before it was not.
            (Phase::SlowStart, Some(anchor)) if anchor.limit < self.limit => anchor.limit,
            _ => self.limit * 7 / 10,
        };
        self.decreased_ms = Some(now_ms);
        self.lower(lower, in_flight);
        self.anchor = None;
        self.rest(now_ms);
    }

    /// Raises the limit by `step`, but not to a level that was throttled of late.
    fn raise(&mut self, step: u32, now_ms: u64) {
        let mut top = self.bounds.max;
        match self.shunned {
            Some((level, until_ms)) if now_ms < until_ms => {
                top = top.min((level - level / 10).saturating_sub(1).max(self.bounds.min));
            }
            _ => {}
        }
        self.limit = self.limit.saturating_add(step).min(top).max(self.limit);
    }

    fn lower(&mut self, limit: u32, in_flight: u32) {
        self.limit = limit.clamp(self.bounds.min, self.limit);
        // Calls that began under the old limit say nothing about the new one.
        self.stale = in_flight.saturating_sub(1).min(self.bounds.max);
        self.round = None;
    }

    fn remember_latency(&mut self, now_ms: u64, latency: f64) {
        if now_ms >= self.window_ends_ms {
            self.best_latency = (f64::INFINITY, self.best_latency.0);
            self.window_ends_ms = now_ms.saturating_add(LATENCY_WINDOW_MS);
        }
        self.best_latency.0 = self.best_latency.0.min(latency);
    }
}

fn goodput_pays(here: Level, anchor: Level, factor: f64) -> bool {
    here.goodput > anchor.goodput * factor
}
