//! Child processes: what they say, how they end, what they use.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;
use std::time::Duration;

use tintype_testkit::process::{Spawned, Stream};
use tokio::time::sleep;

const SOON: Duration = Duration::from_secs(30);

fn shell(script: &str) -> Spawned {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    Spawned::start(command)
}

#[tokio::test]
async fn lines_of_both_streams_are_kept_and_waited_for() {
    let mut process = shell("echo first; echo second >&2; sleep 0.2; echo third; exit 3");

    let third = process
        .wait_for_line(SOON, |line| line.starts_with("thi"))
        .await;
    let status = process.wait(SOON).await;

    assert_eq!(third, "third");
    assert_eq!(status.code(), Some(3));
    assert_eq!(process.text(Stream::Stdout), "first\nthird\n");
    assert_eq!(process.text(Stream::Stderr), "second\n");
}

#[tokio::test]
#[should_panic(expected = "ended without the line:\nStdout: goodbye")]
async fn a_process_that_ends_without_the_line_is_told_with_what_it_wrote() {
    shell("echo goodbye")
        .wait_for_line(SOON, |line| line == "hello")
        .await;
}

#[tokio::test]
#[should_panic(expected = "no such line within 200ms")]
async fn a_line_that_never_comes_is_waited_for_until_the_deadline() {
    let patience = Duration::from_millis(200);
    shell("exec sleep 60")
        .wait_for_line(patience, |line| line == "hello")
        .await;
}

#[tokio::test]
async fn a_killed_process_ends_by_signal_9_and_a_terminated_one_by_15() {
    let mut killed = shell("exec sleep 60");
    let mut terminated = shell("exec sleep 60");

    killed.kill();
    terminated.terminate();

    assert_eq!(killed.wait(SOON).await.signal(), Some(9));
    assert_eq!(terminated.wait(SOON).await.signal(), Some(15));
}

#[tokio::test]
async fn a_frozen_process_writes_nothing_until_it_is_resumed() {
    let mut process = shell("echo ready; while :; do sleep 0.02; echo tick; done");
    process.wait_for_line(SOON, |line| line == "tick").await;

    process.stop();
    sleep(Duration::from_millis(100)).await;
    let when_frozen = process.text(Stream::Stdout).len();
    sleep(Duration::from_millis(300)).await;
    assert_eq!(process.text(Stream::Stdout).len(), when_frozen);

    process.resume();
    while process.text(Stream::Stdout).len() == when_frozen {
        assert!(process.status().is_none());
        sleep(Duration::from_millis(10)).await;
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn memory_and_processor_time_are_known_after_the_end() {
    let mut process = shell("i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done");

    process.wait(SOON).await;

    let usage = process.usage();
    assert!(usage.peak_resident > 100 * 1024, "{usage:?}");
    assert!(usage.cpu >= Duration::from_millis(20), "{usage:?}");
}

#[tokio::test]
async fn a_dropped_process_is_gone() {
    let process = shell("exec sleep 60");
    let folder = format!("/proc/{}", process.pid());

    drop(process);

    assert!(!std::path::Path::new(&folder).exists());
}
