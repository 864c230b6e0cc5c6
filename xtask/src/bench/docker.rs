//! A container's log by both ways: Docker's file directly, and the Engine API.

use std::fs;

use super::Bench;
use super::daemon::Daemon;
use super::stdin::{LENGTHS, each};
use crate::endpoint::Endpoint;
use crate::inputs::{Framing, Log, Text};
use crate::page::Table;
use crate::statistics::Series;

pub fn measure(bench: &Bench) -> Result<String, String> {
    let daemon = Daemon::start()?;
    let endpoint = Endpoint::start(&bench.program, &bench.scratch)?;
    let place = daemon.ended("bench-0")?;
    let mut table = Table::new(&[
        "line",
        "lines",
        "file: CPU s",
        "ns an event",
        "peak MiB",
        "API: CPU s",
        "ns an event",
        "peak MiB",
        "dockerd for the API: CPU s",
    ]);
    for (name, lines, width) in LENGTHS {
        let lines = bench.of(lines);
        let log = Log::new(Framing::JsonFile, Text::Plain, lines, width).file(&bench.scratch)?;
        fs::copy(&log, &place).map_err(|error| format!("{}: {error}", place.display()))?;
        let (mut file, mut api, mut daemons) = (Series::default(), Series::default(), Series::default());
        let (mut file_peak, mut api_peak) = (Series::default(), Series::default());
        for round in 0..bench.rounds() {
            let run = ["run", "--once", "--docker-host", &daemon.host, "--source"];
            let usage = bench.ship(&mut bench.command(&[&run[..], &["files"]].concat(), &endpoint), lines)?;
            file.push(usage.cpu.0);
            file_peak.push(usage.peak_mib);
            // The daemon is slow at it, and takes the more of the machine.
            if round < 3 {
                let before = daemon.cpu()?;
                let usage =
                    bench.ship(&mut bench.command(&[&run[..], &["api"]].concat(), &endpoint), lines)?;
                daemons.push((daemon.cpu()? - before).0);
                api.push(usage.cpu.0);
                api_peak.push(usage.peak_mib);
            }
        }
        table.row(&[
            name.to_owned(),
            lines.to_string(),
            file.text(2),
            each(&file, lines),
            format!("{:.0}", file_peak.highest()),
            api.text(2),
            each(&api, lines),
            format!("{:.0}", api_peak.highest()),
            daemons.text(2),
        ]);
    }
    table.note(&format!("Docker {}.", daemon.version));
    Ok(table.into_text())
}
