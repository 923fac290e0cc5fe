//! What a process costs: wall time, processor time, peak memory. Its own alone, never the emulator's.

use std::fs::{self, File};
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use serde::Serialize;
use tokio::process::Command;
use tokio::time::sleep;

use super::report::mebibytes;
use crate::command::Running;

/// How often a running process is looked at: also the error of its wall time.
const TICK: Duration = Duration::from_millis(2);
/// Clock ticks a second in `/proc`, fixed by the kernel's interface to programs.
const TICKS_PER_SECOND: u32 = 100;
/// How much of a failed process' last words an error repeats.
const LAST_WORDS: usize = 600;

/// What one run cost; of several processes, their sum.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Cost {
    /// From the first start to the last end, seconds.
    pub(super) wall_s: f64,
    /// User and system time of all threads, seconds.
    pub(super) cpu_s: f64,
    /// The most memory ever resident, bytes; of several processes, the sum of their peaks.
    pub(super) peak_bytes: u64,
}

/// A run that ended by itself.
pub(super) struct Finished {
    pub(super) cost: Cost,
    /// Whether every process exited with 0.
    pub(super) succeeded: bool,
    /// What they wrote to standard output, in the order they were started.
    pub(super) stdout: String,
    /// The end of what they wrote to standard error.
    pub(super) last_words: String,
}

impl Finished {
    /// This run, if it succeeded.
    ///
    /// # Errors
    /// With the last words of a run that did not.
    pub(super) fn succeeded(self, who: &str) -> Result<Self> {
        if !self.succeeded {
            bail!("{who} failed: {}", self.last_words.trim());
        }
        Ok(self)
    }
}

/// Runs the processes side by side to their ends; their output goes to files in `logs`.
///
/// # Errors
/// When one cannot be started or followed, or they take longer than `deadline`.
pub(super) async fn run(
    commands: Vec<Command>,
    logs: &Path,
    deadline: Duration,
) -> Result<Finished> {
    let count = commands.len();
    let started = Instant::now();
    let mut watched = Vec::with_capacity(count);
    for (number, mut command) in commands.into_iter().enumerate() {
        command
            .stdin(Stdio::null())
            .stdout(File::create(logs.join(format!("{number}.out")))?)
            .stderr(File::create(logs.join(format!("{number}.err")))?);
        watched.push(Watched::start(&mut command)?);
    }
    while !all_ended(&mut watched)? {
        if started.elapsed() > deadline {
            bail!("still running after {} s", deadline.as_secs());
        }
        sleep(TICK).await;
    }
    let wall_s = started.elapsed().as_secs_f64();

    let mut finished = Finished {
        cost: Cost {
            wall_s,
            cpu_s: watched
                .iter()
                .map(|process| process.cpu.as_secs_f64())
                .sum(),
            peak_bytes: watched.iter().map(|process| process.peak_bytes).sum(),
        },
        succeeded: true,
        stdout: String::new(),
        last_words: String::new(),
    };
    for (number, process) in watched.iter_mut().enumerate() {
        finished.succeeded &= process.reap().await?.success();
        let stdout = fs::read(logs.join(format!("{number}.out")))?;
        finished.stdout += &String::from_utf8_lossy(&stdout);
        let stderr = fs::read(logs.join(format!("{number}.err")))?;
        let end = &stderr[stderr.len().saturating_sub(LAST_WORDS)..];
        finished.last_words += &String::from_utf8_lossy(end);
    }
    Ok(finished)
}

/// Memory of a process that runs on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resident {
    /// The most it ever held, MiB.
    pub(super) peak_mib: f64,
}

impl Resident {
    /// Looks at it now.
    ///
    /// # Errors
    /// When the process has ended.
    pub(super) fn of(process: &Running) -> Result<Self> {
        let pid = process.pid().context("the process has ended")?;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))
            .context("figures of processes are read from /proc, which this system lacks")?;
        let peak = peak_resident(&status).context("the process has ended")?;
        Ok(Self {
            peak_mib: mebibytes(peak),
        })
    }
}

fn all_ended(watched: &mut [Watched]) -> Result<bool> {
    let mut all = true;
    for process in watched {
        all &= process.look()?;
    }
    Ok(all)
}

/// A child that is not reaped before its last figures were read.
struct Watched {
    process: Running,
    pid: Pid,
    cpu: Duration,
    peak_bytes: u64,
    has_ended: bool,
}

impl Watched {
    fn start(command: &mut Command) -> Result<Self> {
        let process = Running::start(command)?;
        let pid = process.pid().context("a child has no process id")?;
        Ok(Self {
            process,
            pid,
            cpu: Duration::ZERO,
            peak_bytes: 0,
            has_ended: false,
        })
    }

    /// Takes the figures of this moment; true once the process has ended.
    fn look(&mut self) -> Result<bool> {
        if self.has_ended {
            return Ok(true);
        }
        let folder = format!("/proc/{}", self.pid);
        let status = fs::read_to_string(format!("{folder}/status"))
            .context("figures of processes are read from /proc, which this system lacks")?;
        // The kernel keeps the peak itself; it is gone with the memory once the process has ended.
        self.peak_bytes = self.peak_bytes.max(peak_resident(&status).unwrap_or(0));
        // Without reaping: an ended process keeps its processor time until then.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        self.has_ended = waitid(WaitId::Pid(self.pid), options)?.is_some();
        if self.has_ended {
            let stat = fs::read_to_string(format!("{folder}/stat"))?;
            self.cpu = cpu_time(&stat).context("/proc/PID/stat cannot be read")?;
        }
        Ok(self.has_ended)
    }

    async fn reap(&mut self) -> Result<ExitStatus> {
        self.process.wait().await
    }
}

/// `VmHWM` of `/proc/PID/status`, in bytes.
fn peak_resident(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// Fields 14 and 15 of `/proc/PID/stat`, counted from behind the name, which may hold spaces.
fn cpu_time(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    Some(Duration::from_secs(1) * (user + system) / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_and_time_are_read_off_what_the_kernel_prints() {
        let status = "Name:\ttintype\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        assert_eq!(peak_resident(status), Some(2 * 1024 * 1024));
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 9 0 0 0 150 25 0 0 20 0 1 0 1 1 1";
        assert_eq!(cpu_time(stat), Some(Duration::from_millis(1750)));
    }

    #[tokio::test]
    async fn a_process_that_works_is_charged_its_processor_time_and_memory() {
        let logs = tempfile::tempdir().unwrap();
        let mut shell = Command::new("sh");
        shell.args([
            "-c",
            "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done",
        ]);
        let finished = run(vec![shell], logs.path(), Duration::from_secs(60)).await;
        let finished = finished.unwrap().succeeded("sh").unwrap();
        assert_eq!(finished.stdout, "done\n");
        assert!(finished.cost.cpu_s > 0.0);
        assert!(finished.cost.cpu_s <= finished.cost.wall_s + 0.02);
        assert!(finished.cost.peak_bytes > 100 * 1024);
    }

    #[tokio::test]
    async fn a_failed_process_is_told_with_its_last_words() {
        let logs = tempfile::tempdir().unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-c", "echo no such photo >&2; exit 3"]);
        let finished = run(vec![shell], logs.path(), Duration::from_secs(60)).await;
        let error = finished.unwrap().succeeded("sh").err().unwrap();
        assert_eq!(error.to_string(), "sh failed: no such photo");
    }
}
