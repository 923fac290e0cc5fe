//! A program under test: its lines, signals, and what it cost.

use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

/// Clock ticks a second in `/proc`: fixed by the kernel's interface to programs, on every platform.
const TICKS_PER_SECOND: u64 = 100;
/// How often a waiting test looks whether the process has ended.
const POLL: Duration = Duration::from_millis(10);
/// Lines that are shown of a process that ended by itself.
const LAST_WORDS: usize = 20;
/// How long output may lag behind the end of the process that wrote it.
const OUTPUT_LAG: Duration = Duration::from_secs(2);

/// Where a process wrote a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What a process has used so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The most memory it ever held resident, in bytes.
    pub peak_resident: u64,
    /// Processor time in user and kernel mode, over all threads.
    pub cpu: Duration,
}

/// A running program whose output is captured; killed (SIGKILL) when dropped.
#[derive(Debug)]
pub struct Spawned {
    child: Child,
    pid: Pid,
    status: Option<ExitStatus>,
    /// A test wanted its end.
    killed: bool,
    last_usage: Usage,
    output: Arc<Mutex<Vec<(Stream, String)>>>,
    /// Lines written so far; closed when both streams are.
    written: watch::Receiver<usize>,
}

impl Spawned {
    /// Starts `command` without input.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(mut command: Command) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let output = Arc::new(Mutex::new(Vec::new()));
        let (sender, written) = watch::channel(0);
        if let Some(stdout) = child.stdout.take() {
            capture(stdout, Stream::Stdout, Arc::clone(&output), sender.clone());
        }
        if let Some(stderr) = child.stderr.take() {
            capture(stderr, Stream::Stderr, Arc::clone(&output), sender);
        }
        let pid = Pid::from_child(&child);
        Self {
            child,
            pid,
            status: None,
            killed: false,
            last_usage: Usage::default(),
            output,
            written,
        }
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything written to `stream` so far.
    #[must_use]
    pub fn text(&self, stream: Stream) -> String {
        let lines = lock(&self.output);
        let of_stream = lines.iter().filter(|(source, _)| *source == stream);
        of_stream.map(|(_, line)| format!("{line}\n")).collect()
    }

    /// Waits for the first line, of either stream, that `accepts` takes, and returns it.
    ///
    /// # Panics
    /// When `deadline` passes or the process closes its output before, with what it wrote.
    pub async fn wait_for_line(
        &mut self,
        deadline: Duration,
        accepts: impl Fn(&str) -> bool,
    ) -> String {
        let mut seen = 0;
        let search = async {
            loop {
                // Marked as seen before looking: a line that comes in between wakes us again.
                let all_written = self.written.has_changed().is_err();
                self.written.borrow_and_update();
                {
                    let lines = lock(&self.output);
                    if let Some((_, line)) = lines[seen..].iter().find(|(_, line)| accepts(line)) {
                        return Some(line.clone());
                    }
                    seen = lines.len();
                }
                if all_written {
                    return None;
                }
                // An error says that the output was closed; one more look follows.
                let _ = self.written.changed().await;
            }
        };
        match timeout(deadline, search).await {
            Ok(Some(line)) => line,
            Ok(None) => panic!(
                "process {} ended without the line:\n{}",
                self.pid(),
                self.story()
            ),
            Err(_) => panic!("no such line within {deadline:?}:\n{}", self.story()),
        }
    }

    /// Waits until the process has ended and its output is complete.
    ///
    /// # Panics
    /// When it still runs after `deadline`, with what it wrote.
    pub async fn wait(&mut self, deadline: Duration) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.status() {
                // A grandchild may hold the streams open for ever: complete within reason.
                let closed = async { while self.written.changed().await.is_ok() {} };
                let _ = timeout(OUTPUT_LAG, closed).await;
                return status;
            }
            assert!(
                started.elapsed() < deadline,
                "still runs after {deadline:?}:\n{}",
                self.story()
            );
            sleep(POLL).await;
        }
    }

    /// How the process ended, when it has.
    ///
    /// # Panics
    /// When the system cannot say.
    pub fn status(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            // Read first: once its end is known, the figures are gone.
            self.usage();
            self.status = self.child.try_wait().unwrap_or_else(|error| {
                panic!("cannot ask for process {}: {error}", self.pid());
            });
        }
        self.status
    }

    /// What the process has used; after its end, what it had used when last looked at ([`Self::wait`]
    /// looks a hundred times a second). Zero where there is no `/proc`.
    pub fn usage(&mut self) -> Usage {
        if self.status.is_none()
            && let Some(usage) = read_usage(self.pid())
        {
            // A process that has just ended shows no memory any more.
            let peak_resident = usage.peak_resident.max(self.last_usage.peak_resident);
            self.last_usage = Usage {
                peak_resident,
                ..usage
            };
        }
        self.last_usage
    }

    /// Ends the process without warning (SIGKILL), as a crash or power cut would. Returns when it is gone, and what it listened on
    /// is free for the next one: the system takes a moment for that, more on a busy machine.
    ///
    /// # Panics
    /// When the system cannot say whether it ended.
    pub fn kill(&mut self) {
        self.killed = self.status().is_none();
        self.signal(Signal::KILL);
        if self.status.is_none() {
            let ended = self.child.wait();
            self.status = Some(ended.unwrap_or_else(|error| {
                panic!("cannot wait for process {}: {error}", self.pid());
            }));
        }
    }

    /// Asks the process to end (SIGTERM).
    pub fn terminate(&mut self) {
        self.signal(Signal::TERM);
    }

    /// Freezes the process (SIGSTOP), as a paused machine would.
    pub fn stop(&mut self) {
        self.signal(Signal::STOP);
    }

    /// Lets a frozen process go on (SIGCONT).
    pub fn resume(&mut self) {
        self.signal(Signal::CONT);
    }

    fn signal(&mut self, signal: Signal) {
        // Its number may be another process's once its end was taken note of.
        if self.status().is_none() {
            // It may have ended since: then there is nothing left to signal.
            let _ = kill_process(self.pid, signal);
        }
    }

    /// Every line so far, for the message of a failed test.
    fn story(&self) -> String {
        let lines = lock(&self.output);
        lines
            .iter()
            .map(|(stream, line)| format!("{stream:?}: {line}\n"))
            .collect()
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        // Where a test fails, a process that was not there any more is the first suspect, and its last words say why.
        if thread::panicking() && !self.killed && self.status().is_some_and(|it| !it.success()) {
            let lines = lock(&self.output);
            let last = lines.iter().skip(lines.len().saturating_sub(LAST_WORDS));
            eprintln!("process {} ended by itself: {:?}", self.pid(), self.status);
            for (stream, line) in last {
                eprintln!("{stream:?}: {line}");
            }
        }
        if self.status.is_none() {
            // Both fail only when it has ended by itself.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn capture(
    stream: impl Read + Send + 'static,
    name: Stream,
    output: Arc<Mutex<Vec<(Stream, String)>>>,
    written: watch::Sender<usize>,
) {
    thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        // Bytes, not text: a line that is no UTF-8 must not end the capture.
        while reader
            .read_until(b'\n', &mut line)
            .is_ok_and(|count| count > 0)
        {
            let text = String::from_utf8_lossy(&line);
            lock(&output).push((name, text.trim_end_matches(['\n', '\r']).to_owned()));
            written.send_modify(|count| *count += 1);
            line.clear();
        }
    });
}

/// A test that panicked while holding the lines has left them whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read_usage(pid: u32) -> Option<Usage> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    Some(Usage {
        peak_resident: peak_resident(&status).unwrap_or(0),
        cpu: cpu_time(&stat)?,
    })
}

/// `VmHWM` of `/proc/PID/status`, in bytes; absent once the process has ended.
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
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis(
        (user + system) * 1000 / TICKS_PER_SECOND,
    ))
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
}
