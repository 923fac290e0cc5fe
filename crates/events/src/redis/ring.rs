//! What a process holds of one tenant's stream: its tail, for the watchers here. A watcher is a place in it.

use std::collections::VecDeque;

use tintype_ports::events::{EventId, Published, Seen};

/// The id before all ids, for a stream that nothing is known of.
const BEGINNING: u64 = 1;

/// An event with the id of the one before it, 0 for the first of a stream.
#[derive(Debug, Clone)]
pub(super) struct Chained {
    pub(super) before: u64,
    pub(super) published: Published,
}

/// What the stream holds after some id.
#[derive(Debug)]
pub(super) struct Reading {
    /// The id after which it was asked for.
    pub(super) after: u64,
    /// Of the server; another one after each restart.
    pub(super) life: String,
    /// The last id in the stream.
    pub(super) last: u64,
    pub(super) events: Vec<Chained>,
}

/// The tail of a stream.
#[derive(Debug)]
pub(super) struct Ring {
    max_events: usize,
    /// Grows when events may be missing that no id tells of.
    breaks: u64,
    /// Empty before the stream was read for the first time.
    life: String,
    /// Events up to this id are not held.
    forgotten: u64,
    held: VecDeque<Published>,
}

/// Where a watcher is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    /// The id of the last event that was seen.
    id: u64,
    breaks: u64,
}

impl Ring {
    pub(super) const fn new(max_events: usize) -> Self {
        Self {
            max_events,
            breaks: 0,
            life: String::new(),
            forgotten: BEGINNING,
            held: VecDeque::new(),
        }
    }

    /// The last id that is known.
    pub(super) fn last(&self) -> u64 {
        self.held.back().map_or(self.forgotten, |event| event.id.0)
    }

    /// The id after which to read on: 0 before the first reading.
    pub(super) fn read_after(&self) -> u64 {
        if self.life.is_empty() { 0 } else { self.last() }
    }

    /// Where a watcher begins that saw `after`, or wants what comes from now on.
    pub(super) fn place(&self, after: Option<EventId>) -> Place {
        let id = match after {
            None => self.last(),
            Some(EventId(id)) if id <= self.forgotten || self.holds(id) => id,
            // An id that this stream never gave: of one that was lost. All of this one is news to that watcher.
            Some(_) => 0,
        };
        Place {
            id,
            breaks: self.breaks,
        }
    }

    fn holds(&self, id: u64) -> bool {
        self.held
            .binary_search_by_key(&id, |event| event.id.0)
            .is_ok()
    }

    /// Adds an event that was heard live. `false` when some before it are missing: the stream must be read then.
    pub(super) fn hear(&mut self, event: &Chained) -> bool {
        let last = self.last();
        if event.published.id.0 <= last {
            return event.before != 0;
        }
        let follows = !self.life.is_empty()
            && (event.before == last || (event.before == 0 && last == BEGINNING));
        if follows {
            self.push(event.published.clone());
        }
        follows
    }

    /// Adds what was read.
    pub(super) fn absorb(&mut self, reading: Reading) {
        let is_first = self.life.is_empty();
        let is_behind = reading.last < reading.after && reading.after > BEGINNING;
        if !is_first && (is_behind || reading.life != self.life) {
            // What was published right before the server died may be gone without a trace.
            self.breaks += 1;
        }
        if is_behind {
            self.held.clear();
            self.forgotten = BEGINNING;
        }
        self.life = reading.life;
        for event in reading.events {
            let last = self.last();
            let id = event.published.id.0;
            if id <= last {
                continue;
            }
            let starts_anew = event.before == 0 && last > BEGINNING;
            if event.before > last || starts_anew {
                self.held.clear();
                // Beyond the place of every watcher, so that all of them learn of it.
                self.forgotten = event.before.max(last + 1).min(id - 1);
            }
            self.push(event.published);
        }
    }

    fn push(&mut self, event: Published) {
        self.held.push_back(event);
        if self.held.len() > self.max_events
            && let Some(oldest) = self.held.pop_front()
        {
            self.forgotten = oldest.id.0;
        }
    }

    /// What comes next for a watcher.
    pub(super) fn look(&self, place: &mut Place) -> Option<Seen> {
        let is_broken = place.breaks != self.breaks;
        place.breaks = self.breaks;
        if place.id < self.forgotten || place.id > self.last() {
            place.id = self.forgotten;
            return Some(Seen::Gap);
        }
        if is_broken {
            return Some(Seen::Gap);
        }
        let next = self.held.partition_point(|event| event.id.0 <= place.id);
        let event = self.held.get(next)?.clone();
        place.id = event.id.0;
        Some(Seen::Event(event))
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use tintype_model::{RunId, progress::Progress};
    use tintype_ports::events::Event;

    use super::*;

    fn chained(before: u64, id: u64) -> Chained {
        Chained {
            before,
            published: Published {
                id: EventId(id),
                event: Event::RunProgressed {
                    run: RunId::new(DateTime::UNIX_EPOCH, [1; 10]),
                    progress: Progress::default(),
                },
            },
        }
    }

    /// A reading of events with these ids, each after the one before, the first after `before`.
    fn reading(after: u64, life: &str, before: u64, ids: &[u64]) -> Reading {
        let befores = std::iter::once(before).chain(ids.iter().copied());
        Reading {
            after,
            life: life.to_owned(),
            last: ids.last().copied().unwrap_or(0),
            events: befores.zip(ids).map(|(b, id)| chained(b, *id)).collect(),
        }
    }

    /// All that comes next: ids, and 0 for a gap.
    fn rest(ring: &Ring, place: &mut Place) -> Vec<u64> {
        std::iter::from_fn(|| ring.look(place))
            .map(|seen| match seen {
                Seen::Event(event) => event.id.0,
                Seen::Gap => 0,
            })
            .collect()
    }

    #[test]
    fn what_follows_is_taken_and_what_does_not_must_be_read() {
        let mut ring = Ring::new(10);
        assert!(!ring.hear(&chained(0, 100)), "nothing was read yet");
        ring.absorb(reading(0, "a", 0, &[100, 110]));
        let mut place = ring.place(None);
        assert!(ring.hear(&chained(110, 120)));
        assert!(ring.hear(&chained(100, 110)), "heard again");
        assert!(!ring.hear(&chained(130, 140)), "130 is missing");
        ring.absorb(reading(120, "a", 120, &[130, 140]));
        assert_eq!(rest(&ring, &mut place), [120, 130, 140]);
    }

    #[test]
    fn events_that_are_no_longer_held_are_one_gap() {
        let mut ring = Ring::new(3);
        ring.absorb(reading(0, "a", 90, &[100, 110]));
        let mut early = ring.place(Some(EventId(80)));
        let mut known = ring.place(Some(EventId(90)));
        assert_eq!(rest(&ring, &mut early), [0, 100, 110]);
        assert_eq!(rest(&ring, &mut known), [100, 110]);
        // So many came meanwhile that the stream has forgotten some.
        ring.absorb(reading(110, "a", 150, &[160, 170]));
        assert_eq!(rest(&ring, &mut known), [0, 160, 170]);
    }

    #[test]
    fn a_lost_stream_is_one_gap_whatever_comes_after_it() {
        for (after_loss, then) in [
            // Flushed, and silent since.
            (reading(110, "a", 0, &[]), vec![]),
            // Flushed, and new events.
            (reading(110, "a", 0, &[200, 210]), vec![200, 210]),
            // Put back by hand to something older, with ids that were never seen.
            (reading(110, "a", 0, &[50, 60]), vec![50, 60]),
            // Restarted with all that was known here; more may be gone.
            (reading(110, "b", 0, &[]), vec![]),
        ] {
            let mut ring = Ring::new(10);
            ring.absorb(reading(0, "a", 0, &[100, 110]));
            let mut place = ring.place(Some(EventId(110)));
            let what = format!("{after_loss:?}");
            ring.absorb(after_loss);
            let seen = rest(&ring, &mut place);
            assert_eq!(seen, [vec![0], then].concat(), "{what}");
            // Whoever comes back from before the loss has missed something too.
            let mut late = ring.place(Some(EventId(105)));
            assert_eq!(ring.look(&mut late), Some(Seen::Gap), "{what}");
        }
    }

    #[test]
    fn a_restart_that_lost_nothing_known_does_not_repeat_events() {
        let mut ring = Ring::new(10);
        ring.absorb(reading(0, "a", 0, &[100, 110]));
        let mut place = ring.place(Some(EventId(100)));
        let again = Reading {
            last: 120,
            ..reading(110, "b", 110, &[120])
        };
        ring.absorb(again);
        assert_eq!(rest(&ring, &mut place), [0, 110, 120]);
    }

    #[test]
    fn the_first_event_of_all_is_no_gap() {
        let mut ring = Ring::new(10);
        ring.absorb(reading(0, "a", 0, &[]));
        let mut place = ring.place(None);
        assert!(ring.hear(&chained(0, 100)));
        assert_eq!(rest(&ring, &mut place), [100]);
    }
}
