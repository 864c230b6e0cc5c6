//! The same lines in one log, and spread over many containers.

use std::fs;

use super::Bench;
use super::daemon::Daemon;
use super::stdin::each;
use crate::endpoint::Endpoint;
use crate::inputs::{Framing, Log, Text};
use crate::page::Table;
use crate::statistics::Series;

/// How many containers, and how many lines they have logged in all. The last row has as many lines a container as
/// fill a request: what a container costs once is then spread over them.
const SPREADS: [(usize, u64); 5] =
    [(1, 1_000_000), (10, 1_000_000), (100, 1_000_000), (1_000, 1_000_000), (1_000, 10_000_000)];

pub fn measure(bench: &Bench) -> Result<String, String> {
    let endpoint = Endpoint::start(&bench.program, &bench.scratch)?;
    let mut table = Table::new(&["containers", "lines in all", "CPU s", "ns an event", "peak MiB"]);
    for (count, lines) in SPREADS {
        let lines = bench.of(lines);
        let mut daemon = Daemon::start()?;
        let place = daemon.ended("bench-0")?;
        let id = daemon.docker(&["inspect", "--format", "{{.Id}}", "bench-0"])?;
        let log = Log::new(Framing::JsonFile, Text::Plain, lines / count as u64, 100).file(&bench.scratch)?;
        daemon.stop();
        fs::copy(&log, &place).map_err(|error| format!("{}: {error}", place.display()))?;
        daemon.multiply(&id, count)?;
        daemon.resume()?;
        let (mut cpu, mut peak) = (Series::default(), Series::default());
        for _ in 0..bench.rounds() {
            let run = ["run", "--once", "--docker-host", &daemon.host, "--source", "files"];
            let usage = bench.ship(&mut bench.command(&run, &endpoint), lines)?;
            cpu.push(usage.cpu.0);
            peak.push(usage.peak_mib);
        }
        let peak = format!("{:.0}", peak.highest());
        table.row(&[count.to_string(), lines.to_string(), cpu.text(2), each(&cpu, lines), peak]);
    }
    Ok(table.into_text())
}
