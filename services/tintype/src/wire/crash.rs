//! Ends the process at a journal step, for tests of what a crash leaves behind: `TINTYPE_CRASH_AT=<step>[:n]`.
//! Only in builds with debug assertions; others never look at the variable.

use std::sync::Arc;

use tintype_app::Steps;

use crate::failure::Failure;

/// Who is told of journal steps in this process.
#[cfg(not(debug_assertions))]
pub(super) fn from_env() -> Result<Arc<dyn Steps>, Failure> {
    Ok(Arc::new(tintype_app::NoSteps))
}

/// Who is told of journal steps in this process.
#[cfg(debug_assertions)]
pub(super) fn from_env() -> Result<Arc<dyn Steps>, Failure> {
    match std::env::var(debug::VARIABLE) {
        Err(_) => Ok(Arc::new(tintype_app::NoSteps)),
        Ok(text) => Ok(Arc::new(debug::CrashAt::parse(&text)?)),
    }
}

#[cfg(debug_assertions)]
mod debug {
    use std::sync::atomic::{AtomicU64, Ordering};

    use tintype_app::{Step, Steps};

    use crate::failure::Failure;

    pub(super) const VARIABLE: &str = "TINTYPE_CRASH_AT";

    /// Aborts when a step is reached for the n-th time.
    #[derive(Debug)]
    pub(super) struct CrashAt {
        step: Step,
        nth: u64,
        seen: AtomicU64,
    }

    impl CrashAt {
        pub(super) fn parse(text: &str) -> Result<Self, Failure> {
            let wrong = |what: String| {
                let names = Step::ALL.map(Step::name).join(", ");
                Failure::usage(format!("{VARIABLE}: {what}"))
                    .with_action(format!("write one of {names}, with :n for the n-th time"))
            };
            let (name, times) = text.split_once(':').unwrap_or((text, "1"));
            let nth = times.parse().ok().filter(|&nth| nth > 0);
            Ok(Self {
                step: name.parse().map_err(wrong)?,
                nth: nth.ok_or_else(|| wrong(format!("{times:?} is not a number from 1")))?,
                seen: AtomicU64::new(0),
            })
        }

        fn is_due(&self, step: Step) -> bool {
            step == self.step && self.seen.fetch_add(1, Ordering::Relaxed) + 1 == self.nth
        }
    }

    impl Steps for CrashAt {
        fn reached(&self, step: Step) {
            if self.is_due(step) {
                // No unwinding, no destructors: the nearest to power loss that a process can do to itself.
                std::process::abort();
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_process_ends_at_the_nth_time_of_the_step_only() {
            let crash = CrashAt::parse("page-written:2").unwrap();
            let due = [
                Step::PageWritten,
                Step::Staged,
                Step::PageWritten,
                Step::PageWritten,
            ];
            assert_eq!(
                due.map(|step| crash.is_due(step)),
                [false, false, true, false]
            );
            assert!(CrashAt::parse("leased").unwrap().is_due(Step::Leased));
        }

        #[test]
        fn a_wrong_step_is_refused() {
            for text in ["", "lunch", "leased:", "leased:0", "leased:x"] {
                assert!(CrashAt::parse(text).is_err(), "{text}");
            }
        }
    }
}
