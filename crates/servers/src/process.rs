//! A server's process with all its children, and the guard that ends it should its owner be killed.

use std::{
    fs, io,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

use crate::command::describe;

/// How long a process may take to end after its polite signal.
const GRACE: Duration = Duration::from_secs(20);

/// Waits for the end of its input, which is the end of the owner, and cleans up.
const GUARD: &str = r#"read -r _
kill -s "$1" "$2" 2>/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$2" 2>/dev/null || break; sleep 0.5; done
kill -s KILL "$2" 2>/dev/null
[ -z "$3" ] || rm -rf -- "$3""#;

/// A running process. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    guard: Child,
    at_drop: Signal,
}

impl Process {
    /// Starts `command` in a process group of its own. `at_drop` is the signal that ends it at once; `folder` is removed by
    /// the guard.
    pub(crate) fn start(
        command: &mut Command,
        at_drop: Signal,
        folder: Option<&Path>,
    ) -> Result<Self> {
        // Its own group: Ctrl-C ends the tests first, then the server.
        command.process_group(0).stdin(Stdio::null());
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start `{}`", describe(command)))?;
        match guard(&child, at_drop, folder) {
            Ok(guard) => Ok(Self {
                child,
                guard,
                at_drop,
            }),
            Err(error) => {
                // It was started a moment ago and has nothing to lose.
                let _ = child.kill();
                let _ = child.wait();
                Err(error).context("cannot start the guard of a server")
            }
        }
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends a signal to the process and to all of its descendants, which are returned.
    pub(crate) fn signal_all(&mut self, signal: Signal) -> Vec<Pid> {
        if self.has_ended() {
            return Vec::new();
        }
        let root = Pid::from_child(&self.child);
        // The parent stands still meanwhile, or it would have new children by the time the old ones are known.
        let _ = kill_process(root, Signal::STOP);
        let descendants = descendants(self.id());
        let _ = kill_process(root, signal);
        for &pid in &descendants {
            // It may have ended by itself.
            let _ = kill_process(pid, signal);
        }
        descendants
    }

    /// Ends it and everything it started, without warning, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        let descendants = self.signal_all(Signal::KILL);
        let _ = self.child.wait();
        // What they held (shared memory, files) is free only once they are gone as well.
        let deadline = Instant::now() + GRACE;
        while descendants.iter().any(|&pid| is_alive(pid)) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Asks it to end with `signal`, waits, and kills it when it does not.
    pub(crate) fn end(&mut self, signal: Signal) {
        if self.has_ended() {
            return;
        }
        self.signal_all(Signal::CONT);
        let _ = kill_process(Pid::from_child(&self.child), signal);
        let deadline = Instant::now() + GRACE;
        while Instant::now() < deadline {
            if self.has_ended() {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        self.kill();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.at_drop == Signal::KILL {
            self.kill();
        } else {
            self.end(self.at_drop);
        }
        // Last, so that there is no moment without a guard.
        let _ = self.guard.kill();
        let _ = self.guard.wait();
    }
}

fn guard(child: &Child, signal: Signal, folder: Option<&Path>) -> io::Result<Child> {
    let signal = if signal == Signal::KILL {
        "KILL"
    } else {
        "QUIT"
    };
    Command::new("/bin/sh")
        .args(["-c", GUARD, "tintype-guard", signal])
        .arg(child.id().to_string())
        .arg(folder.unwrap_or(Path::new("")))
        .process_group(0)
        // The owner's end of this pipe is closed by its death, whatever it dies of.
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .current_dir("/")
        .spawn()
}

/// Children, grandchildren and so on, as `/proc` knows them.
fn descendants(root: u32) -> Vec<Pid> {
    let parents: Vec<(u32, u32)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid: u32| Some((pid, parent(pid)?)))
        .collect();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        next += 1;
        found.extend(
            parents
                .iter()
                .filter(|(_, of)| *of == parent)
                .map(|(pid, _)| *pid),
        );
    }
    found[1..]
        .iter()
        .filter_map(|pid| Pid::from_raw(pid.cast_signed()))
        .collect()
}

/// Whether a process runs: one that has ended and was not waited for does not.
fn is_alive(pid: Pid) -> bool {
    state_and_parent(pid.as_raw_nonzero().get().cast_unsigned())
        .is_some_and(|(state, _)| state != "Z" && state != "X")
}

fn parent(pid: u32) -> Option<u32> {
    state_and_parent(pid)?.1.parse().ok()
}

/// The third and fourth field of `/proc/PID/stat`, counted from behind the name, which may hold spaces.
fn state_and_parent(pid: u32) -> Option<(String, String)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().map(str::to_owned);
    Some((fields.next()?, fields.next()?))
}
