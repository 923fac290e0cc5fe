//! Figures of this process, from the kernel's `/proc`, under the names that Prometheus' own clients use.

use std::{fmt::Write as _, fs};

use super::catalogue::{METRICS, Metric};

/// What the kernel tells of this process.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Figures {
    resident_bytes: u64,
    cpu_seconds: f64,
    open_files: usize,
    /// Since 1970.
    began_at_seconds: f64,
}

/// Appends the figures that can be had.
pub(super) fn write(text: &mut String) {
    let Some(figures) = Figures::read() else {
        return;
    };
    for (name, value) in [
        (
            "process_resident_memory_bytes",
            figures.resident_bytes as f64,
        ),
        ("process_cpu_seconds_total", figures.cpu_seconds),
        ("process_open_fds", figures.open_files as f64),
        ("process_start_time_seconds", figures.began_at_seconds),
    ] {
        if let Some(metric) = METRICS.iter().find(|it| it.name == name) {
            line(text, metric, value);
        }
    }
}

fn line(text: &mut String, metric: &Metric, value: f64) {
    let Metric {
        name, kind, tells, ..
    } = metric;
    let kind = kind.as_str();
    let _ = write!(
        text,
        "# HELP {name} {tells}\n# TYPE {name} {kind}\n{name} {value}\n\n"
    );
}

impl Figures {
    fn read() -> Option<Self> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        let machine = fs::read_to_string("/proc/stat").ok()?;
        // One of them is the folder itself, open for counting.
        let open_files = fs::read_dir("/proc/self/fd")
            .ok()?
            .count()
            .saturating_sub(1);
        let units = Units::of_this_machine();
        Self::parse(&stat, &machine, open_files, units)
    }

    /// `stat` is `/proc/self/stat`, `machine` is `/proc/stat` (<https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>).
    fn parse(stat: &str, machine: &str, open_files: usize, units: Units) -> Option<Self> {
        // The program's name stands in parentheses and may hold anything, parentheses included.
        let (_, behind_name) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = behind_name.split_whitespace().collect();
        // The first field behind the name is number 3.
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        let booted_at = machine
            .lines()
            .find_map(|line| line.strip_prefix("btime "))?
            .trim()
            .parse::<u64>()
            .ok()?;
        let seconds = |ticks: u64| ticks as f64 / units.ticks_a_second as f64;
        Some(Self {
            resident_bytes: field(24)? * units.page_bytes,
            cpu_seconds: seconds(field(14)? + field(15)?),
            open_files,
            began_at_seconds: booted_at as f64 + seconds(field(22)?),
        })
    }
}

#[derive(Debug, Clone, Copy)]
struct Units {
    ticks_a_second: u64,
    page_bytes: u64,
}

impl Units {
    #[cfg(target_os = "linux")]
    fn of_this_machine() -> Self {
        Self {
            ticks_a_second: rustix::param::clock_ticks_per_second().max(1),
            page_bytes: rustix::param::page_size() as u64,
        }
    }

    #[cfg(not(target_os = "linux"))]
    const fn of_this_machine() -> Self {
        Self {
            ticks_a_second: 100,
            page_bytes: 4_096,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "4242 (a (b) c) S 1 4242 4242 0 -1 4194560 9000 0 12 0 250 150 0 0 20 0 9 0 1000 \
                        123456 2048 18446744073709551615 1 1 0 0 0 0 0 4096 17642 0 0 0 17 1 0 0 0 0 0";
    const MACHINE: &str = "cpu  1 2 3 4\nctxt 99\nbtime 1700000000\nprocesses 5\n";
    const UNITS: Units = Units {
        ticks_a_second: 100,
        page_bytes: 4_096,
    };

    #[test]
    fn figures_are_read_behind_any_name() {
        let figures = Figures::parse(STAT, MACHINE, 17, UNITS).unwrap();
        let expected = Figures {
            resident_bytes: 2_048 * 4_096,
            cpu_seconds: 4.0,
            open_files: 17,
            began_at_seconds: 1_700_000_010.0,
        };
        assert_eq!(figures, expected);
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        assert_eq!(Figures::parse("4242 (x) S", MACHINE, 1, UNITS), None);
        assert_eq!(Figures::parse(STAT, "cpu 1", 1, UNITS), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_figures() {
        let figures = Figures::read().unwrap();
        assert!(figures.resident_bytes > 1_000_000, "{figures:?}");
        assert!(figures.open_files >= 3, "{figures:?}");
        let mut text = String::new();
        write(&mut text);
        assert!(
            text.contains("# TYPE process_cpu_seconds_total counter\n"),
            "{text}"
        );
    }
}
