//! The progress of a run: items, bytes, rate, time left, quota spent.

use std::time::Instant;

use tintype_model::{
    progress::Progress,
    run::{Run, RunState},
};

use super::{
    bytes,
    console::{Console, Meter},
    count, counted,
    pace::Pace,
    span,
};

/// Shows a run while it goes on.
#[derive(Debug)]
pub(crate) struct RunView {
    meter: Meter,
    pace: Pace,
    base: Option<Progress>,
    shown: Progress,
}

impl RunView {
    /// A view that begins now.
    pub(crate) fn new(console: &Console, title: &str) -> Self {
        Self {
            meter: console.meter(title),
            pace: Pace::new(Instant::now()),
            base: None,
            shown: Progress::default(),
        }
    }

    /// The run has come so far.
    pub(crate) fn update(&mut self, progress: &Progress) {
        // Events and the catalogue overtake each other; a bar never goes back.
        let shown = &self.shown;
        if progress.listed < shown.listed
            || progress.stored < shown.stored
            || progress.originals < shown.originals
        {
            return;
        }
        self.shown = *progress;
        // A run that goes on where it stopped is paced by what it does now.
        let base = *self.base.get_or_insert(*progress);
        let stored = progress.stored - base.stored;
        self.pace
            .note(Instant::now(), stored, progress.bytes - base.bytes);
        let done = progress.stored + progress.failed;
        let pace = &self.pace;
        let queued = Some(progress.queued).filter(|&queued| queued > 0);
        self.meter.update(done, queued, || words(progress, pace));
    }

    /// The run rests, and somebody waits for it.
    pub(crate) fn rests(&self, run: &Run) {
        let reason = run.status.reason.as_ref();
        let reason = reason.map_or("no reason given", |it| it.message.as_str());
        let what = match run.status.state {
            RunState::WaitingQuota => "waiting for quota",
            RunState::WaitingAuth => "waiting for a new sign-in",
            RunState::Paused => "paused",
            _ => "waiting for you",
        };
        self.meter.say(&format!("  {what}: {reason}"));
    }
}

fn words(progress: &Progress, pace: &Pace) -> String {
    let done = progress.stored + progress.failed;
    let originals = match progress.originals {
        0 => None,
        originals => Some(counted(originals, "original")),
    };
    if progress.queued == 0 {
        return match originals {
            None => format!("{} listed, nothing to copy so far", count(progress.listed)),
            Some(originals) => format!("{originals}  {}", bytes(progress.bytes)),
        };
    }
    let mut text = format!("{}/{} items", count(done), count(progress.queued));
    if let Some(originals) = originals {
        text.push_str(&format!("  {originals}"));
    }
    text.push_str(&format!("  {}", bytes(progress.bytes)));
    if let Some((items, rate)) = pace.rates() {
        let per_second = format!("  {}/s  {items:.0}/s", bytes(whole(rate)));
        text.push_str(&per_second);
    }
    let left = progress.queued.saturating_sub(done);
    if let Some(rest) = pace.rest(left).filter(|_| left > 0) {
        text.push_str(&format!("  {} left", span(rest)));
    }
    if progress.failed > 0 {
        text.push_str(&format!("  {} failed", count(progress.failed)));
    }
    let spent = progress.requests + progress.downloads;
    text.push_str(&format!("  quota {}", count(spent)));
    text
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is never negative, and far below what u64 holds"
)]
fn whole(rate: f64) -> u64 {
    rate.max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_words_tell_items_bytes_rate_rest_and_quota() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        pace.note(start + Duration::from_secs(2), 100, 6 << 20);
        let progress = Progress {
            listed: 300,
            queued: 300,
            stored: 100,
            bytes: 6 << 20,
            requests: 3,
            downloads: 101,
            ..Progress::default()
        };
        let expected = "100/300 items  6.0 MiB  3.0 MiB/s  50/s  4.0 s left  quota 104";
        assert_eq!(words(&progress, &pace), expected);
    }

    #[test]
    fn originals_are_told_beside_items_and_alone() {
        let pace = Pace::new(Instant::now());
        let mut progress = Progress {
            listed: 300,
            originals: 12,
            bytes: 6 << 20,
            ..Progress::default()
        };
        assert_eq!(words(&progress, &pace), "12 originals  6.0 MiB");
        progress.queued = 3;
        progress.stored = 3;
        let expected = "3/3 items  12 originals  6.0 MiB  quota 0";
        assert_eq!(words(&progress, &pace), expected);
        progress.originals = 0;
        progress.queued = 0;
        let expected = "300 listed, nothing to copy so far";
        assert_eq!(words(&progress, &pace), expected);
    }
}
