//! A hosted install as processes: vault, workers, schedulers, with servers that a test may kill.

mod faults;
mod install;
