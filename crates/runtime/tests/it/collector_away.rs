//! A collector that is away, or takes connections and says nothing, costs spans and nothing else.

use std::{
    collections::BTreeMap,
    io::Read as _,
    net::TcpListener,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tintype_runtime::{
    metrics,
    telemetry::{self, TelemetrySettings},
};
use tracing::info_span;

use crate::traces::settings;

/// Spans that the work makes: more than fit into the buffer.
const SPANS: usize = 20_000;
const QUEUE: usize = 1_000;
const BATCH: usize = 100;
const EXPORT_WITHIN: Duration = Duration::from_millis(300);
const FLUSH_WITHIN: Duration = Duration::from_secs(2);

/// Says to the test below that it is to do the work, and whose collector it has.
const AWAY_FROM: &str = "TINTYPE_TEST_AWAY_FROM";

/// What a process of its own told: the recorder and the log belong to a whole process.
struct Told {
    dropped: BTreeMap<String, u64>,
    worked_for: Duration,
    flushed_for: Duration,
    complaints: usize,
}

fn work_without(endpoint: &str) -> Told {
    let mut work = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "collector_away::the_work"])
        .env(AWAY_FROM, endpoint)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut err = work.stderr.take().unwrap();
    let log = thread::spawn(move || {
        let mut text = String::new();
        err.read_to_string(&mut text).unwrap();
        text
    });
    let output = work.wait_with_output().unwrap();
    let log = log.join().unwrap();
    assert!(output.status.success(), "{log}");
    let text = String::from_utf8(output.stdout).unwrap();
    let number = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key));
        let line = line.unwrap_or_else(|| panic!("no {key} in {text}"));
        line.trim().parse::<u64>().unwrap()
    };
    let dropped = text.lines().filter_map(|line| {
        let rest = line.strip_prefix("tintype_spans_dropped_total{reason=\"")?;
        let (reason, number) = rest.split_once("\"} ")?;
        Some((reason.to_owned(), number.parse().unwrap()))
    });
    Told {
        dropped: dropped.collect(),
        worked_for: Duration::from_millis(number("worked_ms=")),
        flushed_for: Duration::from_millis(number("flushed_ms=")),
        complaints: log.matches("the collector does not take traces").count(),
    }
}

/// Does nothing unless the tests below run it in a process of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_work() {
    let Ok(endpoint) = std::env::var(AWAY_FROM) else {
        return;
    };
    let recorded = metrics::install().unwrap();
    let settings = TelemetrySettings {
        level: "warn".to_owned(),
        queue: QUEUE,
        batch: BATCH,
        gather_for: Duration::from_millis(10),
        export_within: EXPORT_WITHIN,
        ..settings(&endpoint)
    };
    let telemetry = telemetry::start(&settings).unwrap();
    let began = Instant::now();
    for _ in 0..SPANS {
        info_span!(target: "tintype_test", "work").in_scope(|| ());
    }
    println!("\nworked_ms={}", began.elapsed().as_millis());
    let began = Instant::now();
    assert!(
        !telemetry.flush(FLUSH_WITHIN).await,
        "nobody took the spans"
    );
    println!("flushed_ms={}", began.elapsed().as_millis());
    println!("{}", recorded.render());
}

fn assert_costs_spans_only(told: &Told) {
    // One batch is with the collector and the buffer is full; the rest has nowhere to go.
    let no_room = told.dropped.get("queue_full").copied().unwrap_or(0);
    assert!(no_room > 0, "{:?}", told.dropped);
    assert!(told.dropped.contains_key("not_taken"), "{:?}", told.dropped);
    assert_eq!(told.complaints, 1, "one line a minute");
    assert!(
        told.flushed_for < FLUSH_WITHIN + Duration::from_secs(2),
        "{:?}",
        told.flushed_for
    );
    // Waiting for one call would take as long as this, and there would be two hundred.
    let waiting = EXPORT_WITHIN.mul_f64((SPANS / BATCH) as f64);
    assert!(told.worked_for < waiting / 4, "{:?}", told.worked_for);
}

#[test]
fn a_collector_that_is_away_costs_spans_only() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = port.local_addr().unwrap();
    drop(port);
    let told = work_without(&format!("http://{address}"));
    assert_costs_spans_only(&told);
}

#[test]
fn a_collector_that_says_nothing_costs_spans_only() {
    // The system takes the connections; nobody ever reads from them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let told = work_without(&format!("http://{address}"));
    assert_costs_spans_only(&told);
}
