//! A small discrete-event model: a caller that keeps `limit` calls in flight, and three kinds of service, in virtual time.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{round::whole_ms, *};

/// Microseconds of virtual time.
type Micros = u64;

enum Service {
    /// Answers after a time that does not depend on load, give or take `jitter` of it.
    Constant { latency: Micros, jitter: f64 },
    /// `servers` work at one call each; the rest queue.
    Bound { servers: usize, work: Micros },
    /// Constant latency, but answers 429 at once above `most` in flight.
    Throttling { most: usize, latency: Micros },
    /// Constant latency, but answers 429 at once to this part of all calls.
    Stormy { refused: f64, latency: Micros },
}

struct Simulation {
    limit: ConcurrencyLimit,
    service: Service,
    now: Micros,
    seed: u64,
    free_at: Vec<Micros>,
    /// (ends at, began at, throttled).
    calls: BinaryHeap<Reverse<(Micros, Micros, bool)>>,
    accepted: usize,
    ok: u64,
    throttled: u64,
}

impl Simulation {
    fn new(bounds: Bounds, service: Service) -> Self {
        let servers = if let Service::Bound { servers, .. } = service {
            servers
        } else {
            0
        };
        Self {
            limit: ConcurrencyLimit::new(bounds),
            service,
            now: 0,
            seed: 1,
            free_at: vec![0; servers],
            calls: BinaryHeap::new(),
            accepted: 0,
            ok: 0,
            throttled: 0,
        }
    }

    fn random(&mut self) -> f64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        f64::from(u32::try_from(self.seed >> 40).expect("24 bits")) / f64::from(1_u32 << 24)
    }

    fn begin(&mut self) {
        let spread = self.random() * 2.0 - 1.0;
        let (ends, refused) = match self.service {
            Service::Constant { latency, jitter } => {
                let micros =
                    f64::from(u32::try_from(latency).expect("short")) * (1.0 + jitter * spread);
                (self.now + whole_ms(micros), false)
            }
            Service::Bound { work, .. } => {
                let first = self.free_at.iter_mut().min().expect("a server");
                *first = (*first).max(self.now) + work;
                (*first, false)
            }
            Service::Throttling { most, .. } if self.accepted >= most => (self.now + 5_000, true),
            Service::Throttling { latency, .. } => (self.now + latency, false),
            Service::Stormy { refused, .. } if (spread + 1.0) / 2.0 < refused => {
                (self.now + 5_000, true)
            }
            Service::Stormy { latency, .. } => (self.now + latency, false),
        };
        self.accepted += usize::from(!refused);
        self.calls.push(Reverse((ends, self.now, refused)));
    }

    /// Runs until `until_ms`; `demand` bounds what the caller has to do at once.
    fn run(&mut self, until_ms: u64, demand: usize) {
        while self.now < until_ms * 1_000 {
            while self.calls.len() < demand.min(self.limit.limit() as usize) {
                self.begin();
            }
            let in_flight = u32::try_from(self.calls.len()).expect("few");
            let Reverse((ends, began, refused)) = self.calls.pop().expect("a call");
            self.now = ends;
            self.accepted -= usize::from(!refused);
            self.ok += u64::from(!refused);
            self.throttled += u64::from(refused);
            let latency_ms = f64::from(u32::try_from(ends - began).expect("short")) / 1_000.0;
            let outcome = if refused {
                Sample::Throttled
            } else {
                Sample::Ok
            };
            self.limit
                .on_sample(ends / 1_000, in_flight, latency_ms, outcome);
        }
    }
}

const WIDE: Bounds = Bounds {
    min: 1,
    max: 256,
    initial: 4,
};

#[test]
fn fifty_milliseconds_away_it_reaches_the_maximum_within_two_seconds() {
    for jitter in [0.0, 0.1, 0.5] {
        let mut simulation = Simulation::new(
            WIDE,
            Service::Constant {
                latency: 50_000,
                jitter,
            },
        );
        simulation.run(2_000, usize::MAX);
        assert!(
            simulation.limit.limit() >= 230,
            "jitter {jitter}: {}",
            simulation.limit.limit()
        );
        let before = simulation.ok;
        simulation.run(32_000, usize::MAX);
        let share = (simulation.ok - before) as f64 / (30_000.0 / 50.0 * 256.0);
        assert!(
            share > 0.9,
            "jitter {jitter}: {share:.2} of what 256 in flight could do"
        );
    }
}

#[test]
fn a_busy_processor_gets_a_small_multiple_of_its_cores() {
    for (servers, work) in [(1, 100), (2, 200), (2, 1_000), (4, 3_000), (8, 500)] {
        for initial in [1, 4, 16] {
            let bounds = Bounds { initial, ..WIDE };
            let mut simulation = Simulation::new(bounds, Service::Bound { servers, work });
            simulation.run(5_000, usize::MAX);
            let mut worst = 0;
            let before = simulation.ok;
            for second in 6..=65 {
                simulation.run(second * 1_000, usize::MAX);
                worst = worst.max(simulation.limit.limit());
            }
            assert!(
                worst <= 32,
                "{servers} servers, {work} µs, from {initial}: {worst} in flight"
            );
            let could = 60e6 / work as f64 * servers as f64;
            let share = (simulation.ok - before) as f64 / could;
            assert!(
                share > 0.9,
                "{servers} servers, {work} µs, from {initial}: {share:.2} busy"
            );
        }
    }
}

#[test]
fn a_throttling_service_is_met_below_its_limit_with_few_refusals() {
    for most in [10, 65, 100, 200] {
        let service = Service::Throttling {
            most,
            latency: 50_000,
        };
        let mut simulation = Simulation::new(WIDE, service);
        simulation.run(60_000, usize::MAX);
        let limit = simulation.limit.limit() as usize;
        assert!(
            limit <= most && limit * 2 >= most,
            "{limit} in flight where {most} are allowed"
        );
        let refused = simulation.throttled as f64 / simulation.ok as f64;
        assert!(
            refused < 0.01,
            "{most} allowed: {:.2} % refused",
            refused * 100.0
        );
    }
}

#[test]
fn a_storm_that_is_over_is_soon_forgotten() {
    let latency = 50_000;
    let mut simulation = Simulation::new(
        WIDE,
        Service::Stormy {
            refused: 0.3,
            latency,
        },
    );
    simulation.run(60_000, usize::MAX);
    let few = simulation.limit.limit();
    assert!(few <= 2, "{few} in flight in a storm");
    simulation.service = Service::Constant {
        latency,
        jitter: 0.1,
    };
    simulation.run(80_000, usize::MAX);
    let limit = simulation.limit.limit();
    assert!(limit >= 100, "{limit} in flight twenty seconds later");
}

#[test]
fn a_limit_that_is_not_used_does_not_grow() {
    let mut simulation = Simulation::new(
        WIDE,
        Service::Constant {
            latency: 50_000,
            jitter: 0.1,
        },
    );
    simulation.run(20_000, 2);
    assert!(
        simulation.limit.limit() <= 4,
        "{}",
        simulation.limit.limit()
    );
}

#[test]
fn it_climbs_again_after_the_service_got_faster() {
    let mut simulation = Simulation::new(
        WIDE,
        Service::Bound {
            servers: 2,
            work: 1_000,
        },
    );
    simulation.run(10_000, usize::MAX);
    simulation.service = Service::Constant {
        latency: 50_000,
        jitter: 0.1,
    };
    simulation.run(30_000, usize::MAX);
    assert!(
        simulation.limit.limit() >= 200,
        "{}",
        simulation.limit.limit()
    );
}

#[test]
fn a_burst_of_failures_lowers_it_once_a_round_trip() {
    let mut limit = ConcurrencyLimit::new(Bounds {
        min: 2,
        max: 256,
        initial: 100,
    });
    for _ in 0..100 {
        limit.on_sample(1_000, 100, 50.0, Sample::Failed);
    }
    assert_eq!(limit.limit(), 70);
    for round in 1..60 {
        for _ in 0..limit.limit() {
            limit.on_sample(1_000 + round * 250, limit.limit(), 50.0, Sample::Failed);
        }
    }
    assert_eq!(limit.limit(), 2);
}

#[test]
fn bounds_in_disorder_are_brought_into_order() {
    let limit = ConcurrencyLimit::new(Bounds {
        min: 0,
        max: 0,
        initial: 9,
    });
    assert_eq!(limit.limit(), 1);
}
