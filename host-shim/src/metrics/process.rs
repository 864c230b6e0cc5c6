//! What the process takes of the machine, under the names that exporters have agreed on.

use std::fs;
use std::time::SystemTime;

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

use super::page::{Kind, Page};

/// Writes what is known; the system may not say all of it.
pub fn write(page: &mut Page, began: SystemTime) {
    if let Some(Stat { ticks, virtual_bytes, pages }) = Stat::read() {
        let seconds = ticks as f64 / clock_ticks_per_second() as f64;
        page.family("process_cpu_seconds", Kind::Counter, "Time of processors spent, user and system.");
        page.counter("process_cpu_seconds", &[], seconds);
        gauge(
            page,
            "process_resident_memory_bytes",
            "Resident memory.",
            pages.saturating_mul(page_size() as u64),
        );
        gauge(page, "process_virtual_memory_bytes", "Virtual memory.", virtual_bytes);
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        gauge(page, "process_open_fds", "Open file descriptors.", open.count() as u64);
    }
    if let Some(most) = getrlimit(Resource::Nofile).current {
        gauge(page, "process_max_fds", "Most open file descriptors.", most);
    }
    let began = began.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    page.family("process_start_time_seconds", Kind::Gauge, "When it started, in seconds since 1970.");
    page.gauge("process_start_time_seconds", &[], began.as_secs_f64());
}

fn gauge(page: &mut Page, name: &str, help: &str, value: u64) {
    page.family(name, Kind::Gauge, help);
    page.gauge(name, &[], value);
}

/// Some of `/proc/self/stat`.
struct Stat {
    ticks: u64,
    virtual_bytes: u64,
    pages: u64,
}

impl Stat {
    fn read() -> Option<Stat> {
        Stat::parse(&fs::read_to_string("/proc/self/stat").ok()?)
    }

    fn parse(text: &str) -> Option<Stat> {
        // The name of the program, in parentheses, may hold anything; behind it stand numbers from the third on.
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Stat { ticks: field(14)? + field(15)?, virtual_bytes: field(23)?, pages: field(24)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_parentheses_is_no_field() {
        let text =
            "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 4 0 99 1048576 200 18446744073709551615 1";
        let stat = Stat::parse(text).unwrap();
        assert_eq!((stat.ticks, stat.virtual_bytes, stat.pages), (300, 1_048_576, 200));
        assert!(Stat::parse("").is_none());
        assert!(Stat::read().unwrap().pages > 0);
    }
}
