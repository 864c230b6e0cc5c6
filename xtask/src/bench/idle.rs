//! Containers that run and say nothing: what it costs to have them.

use std::fs::{self, File};
use std::time::Duration;

use super::Bench;
use super::imitation::Imitation;
use crate::child::{self, Background, until};
use crate::endpoint::Endpoint;
use crate::page::Table;

const COUNTS: [usize; 3] = [1, 100, 1_000];

pub fn measure(bench: &Bench) -> Result<String, String> {
    let endpoint = Endpoint::start(&bench.program, &bench.scratch)?;
    let watched = Duration::from_secs(if bench.small { 10 } else { 60 });
    let mut table = Table::new(&["containers", "CPU of the start, s", "CPU a minute, s", "resident MiB"]);
    for count in COUNTS {
        let daemon = Imitation::start(count)?;
        let run = ["run", "--docker-host", &daemon.host, "--source", "files", "--flush-after", "100ms"];
        let log = bench.scratch.join("idle.log");
        let said = File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let mut command = bench.command(&run, &endpoint);
        command.stderr(said);
        let program = Background(command.spawn().map_err(|error| error.to_string())?);
        let pid = program.0.id();
        // The line that each has is delivered, and then nothing happens any more.
        until("every container's line", || daemon.is_followed().then_some(()))?;
        let start = settled(pid)?;
        std::thread::sleep(watched);
        let idle = (child::taken_by(pid)? - start).0 * 60.0 / watched.as_secs_f64();
        let resident = format!("{:.0}", resident_mib(pid)?);
        table.row(&[count.to_string(), format!("{:.2}", start.0), format!("{idle:.2}"), resident]);
    }
    Ok(table.into_text())
}

/// What a process has taken once it takes no more.
pub fn settled(pid: u32) -> Result<child::Seconds, String> {
    let mut before = child::taken_by(pid)?;
    loop {
        std::thread::sleep(Duration::from_secs(3));
        let now = child::taken_by(pid)?;
        if (now - before).0 < 0.2 {
            return Ok(now);
        }
        before = now;
    }
}

pub fn resident_mib(pid: u32) -> Result<f64, String> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
    kib.map(|kib| kib / 1024.0).ok_or_else(|| format!("{path} has no VmRSS"))
}
