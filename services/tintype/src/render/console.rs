//! Standard error: colours only on a terminal that wants them, a bar there and plain lines elsewhere.

use std::{
    io::{IsTerminal, Write as _},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Plain progress lines are at least so far apart.
const LINE_EVERY: Duration = Duration::from_secs(3);
/// The bar is drawn at most so often a second.
const DRAWS_PER_SECOND: u8 = 8;

/// How a line went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Good.
    Good,
    /// Nothing to do, or not known.
    Open,
    /// Bad.
    Bad,
}

/// Where a command speaks to the person.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Console {
    is_terminal: bool,
    colours: bool,
}

impl Console {
    /// Standard error as it is.
    pub(crate) fn new() -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        Self {
            is_terminal,
            colours: is_terminal && wants_colours(|name| std::env::var(name).ok()),
        }
    }

    /// A line.
    pub(crate) fn say(&self, line: &str) {
        // Nobody is left to be told when standard error is gone.
        let _ = writeln!(std::io::stderr().lock(), "{line}");
    }

    /// The title of the next part.
    pub(crate) fn title(&self, text: &str) {
        self.say(&format!("\n{}", self.paint("1", text)));
    }

    /// A line of a checklist.
    pub(crate) fn mark(&self, mark: Mark, title: &str, evidence: &str) {
        let (sign, colour) = match mark {
            Mark::Good => ("✓", "32"),
            Mark::Open => ("–", "33"),
            Mark::Bad => ("✗", "31"),
        };
        let sign = self.paint(colour, sign);
        self.say(format!("  {sign} {title:<22} {evidence}").trim_end());
    }

    /// What went wrong, and what to do.
    pub(crate) fn failure(&self, message: &str, action: Option<&str>) {
        self.say(&format!("{} {message}", self.paint("1;31", "error:")));
        if let Some(action) = action {
            self.action(action);
        }
    }

    /// What to do next.
    pub(crate) fn action(&self, text: &str) {
        self.say(&format!("→ {text}"));
    }

    /// A meter for work that takes a while.
    pub(crate) fn meter(&self, title: &str) -> Meter {
        let bar = self.is_terminal.then(|| self.bar(title));
        Meter {
            console: *self,
            title: title.to_owned(),
            bar,
            last_line: None,
        }
    }

    fn bar(&self, title: &str) -> ProgressBar {
        let target = ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND);
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(style("  {prefix}  {wide_msg}"));
        bar.set_prefix(title.to_owned());
        bar
    }

    fn bar_template(&self) -> &'static str {
        match self.colours {
            true => "  {bar:14.cyan/dim}  {wide_msg}",
            false => "  {bar:14}  {wide_msg}",
        }
    }

    fn paint(&self, code: &str, text: &str) -> String {
        match self.colours {
            true => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            false => text.to_owned(),
        }
    }
}

/// A template that does not parse would be a defect; the plain bar still tells enough.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
}

/// Colours are for terminals that can, unless `NO_COLOR` is set to anything.
fn wants_colours(variable: impl Fn(&str) -> Option<String>) -> bool {
    let refused = variable("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = variable("TERM").is_some_and(|value| value == "dumb");
    !refused && !dumb
}

/// Progress of one piece of work.
#[derive(Debug)]
pub(crate) struct Meter {
    console: Console,
    title: String,
    bar: Option<ProgressBar>,
    last_line: Option<Instant>,
}

impl Meter {
    /// `done` of `total` (where it is known), with a few words; the words are only asked for when they are shown.
    pub(crate) fn update(&mut self, done: u64, total: Option<u64>, words: impl FnOnce() -> String) {
        if let Some(bar) = &self.bar {
            if let Some(total) = total {
                if bar.length().is_none() {
                    bar.set_style(style(self.console.bar_template()));
                }
                bar.set_length(total.max(done));
                bar.set_position(done);
            }
            bar.set_message(words());
            return;
        }
        let now = Instant::now();
        // The first line comes after a while too: short work needs none.
        let last = *self.last_line.get_or_insert(now);
        if now.duration_since(last) >= LINE_EVERY {
            self.last_line = Some(now);
            self.console.say(&format!("  {}: {}", self.title, words()));
        }
    }

    /// A line above the bar.
    pub(crate) fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.console.say(line)),
            None => self.console.say(line),
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_off_when_asked() {
        let env = |pairs: &'static [(&str, &str)]| {
            move |name: &str| {
                let found = pairs.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            }
        };
        assert!(wants_colours(env(&[])));
        assert!(wants_colours(env(&[("NO_COLOR", "")])));
        assert!(!wants_colours(env(&[("NO_COLOR", "1")])));
        assert!(!wants_colours(env(&[("TERM", "dumb")])));
    }
}
