//! End to end on one daemon: a container writes, the daemon logs, and it is shipped, by us or by Docker's
//! own driver.

use std::path::Path;
use std::time::Duration;

use super::Bench;
use super::daemon::Daemon;
use crate::child::{self, Seconds};
use crate::endpoint::Endpoint;
use crate::inputs::{Framing, Log, Text};
use crate::page::Table;
use crate::statistics::Series;

const LENGTHS: [(&str, u64, usize); 2] = [("100 B", 1_000_000, 100), ("1 KB", 200_000, 1_024)];

pub fn measure(bench: &Bench) -> Result<String, String> {
    let daemon = Daemon::start()?;
    let endpoint = Endpoint::start(&bench.program, &bench.scratch)?;
    let mut table = Table::new(&["line", "lines", "who ships", "dockerd: CPU s", "shipper: CPU s", "both"]);
    let awslogs = [
        "--log-driver=awslogs",
        "--log-opt=awslogs-region=eu-central-1",
        "--log-opt=awslogs-group=bench",
        "--log-opt=awslogs-create-group=true",
        &format!("--log-opt=awslogs-endpoint={}", endpoint.url),
    ];
    let without_cache = [&awslogs[..], &["--log-opt=cache-disabled=true"]].concat();
    for (name, lines, width) in LENGTHS {
        let lines = bench.of(lines);
        let log = Log::new(Framing::Lines, Text::Plain, lines, width).file(&bench.scratch)?;
        let mut rows: [(&str, [Series; 3]); 4] = [
            ("nobody (json-file is written)", Default::default()),
            ("cloudspout", Default::default()),
            ("Docker's awslogs, as it comes", Default::default()),
            ("Docker's awslogs, cache off", Default::default()),
        ];
        for _ in 0..3 {
            for (at, (_, series)) in rows.iter_mut().enumerate() {
                let (docker, shipper) = match at {
                    0 => (driver(&daemon, &log, &["--log-driver=json-file"])?, Seconds(0.0)),
                    1 => ours(bench, &daemon, &endpoint, &log, lines)?,
                    2 => (driver(&daemon, &log, &awslogs)?, Seconds(0.0)),
                    _ => (driver(&daemon, &log, &without_cache)?, Seconds(0.0)),
                };
                let [dockers, shippers, both] = series;
                dockers.push(docker.0);
                shippers.push(shipper.0);
                both.push((docker + shipper).0);
            }
        }
        for (who, [docker, shipper, both]) in rows {
            let shipper = if who == "cloudspout" { shipper.text(2) } else { "-".to_owned() };
            table.row(&[name, &lines.to_string(), who, &docker.text(2), &shipper, &both.text(2)]);
        }
    }
    table.note(&format!(
        "Docker {}. Fluent Bit, Vector and logspout are not on this machine: their figures, measured elsewhere, \
         are below.",
        daemon.version
    ));
    Ok(table.into_text())
}

/// What the daemon takes for a container's output.
fn driver(daemon: &Daemon, log: &Path, options: &[&str]) -> Result<Seconds, String> {
    let before = daemon.cpu()?;
    daemon.write_out(log, options)?;
    // The driver sends its last batch when the container is gone.
    std::thread::sleep(Duration::from_millis(500));
    Ok(daemon.cpu()? - before)
}

/// What the daemon and the program take together, following from the start.
fn ours(
    bench: &Bench,
    daemon: &Daemon,
    endpoint: &Endpoint,
    log: &Path,
    lines: u64,
) -> Result<(Seconds, Seconds), String> {
    let before = daemon.cpu()?;
    let run = ["run", "--docker-host", &daemon.host, "--source", "files", "--backlog", "now"];
    let child = bench.start(&mut bench.command(&run, endpoint))?;
    std::thread::sleep(Duration::from_millis(500));
    daemon.write_out(log, &["--log-driver=json-file"])?;
    std::thread::sleep(Duration::from_secs(1));
    child::terminate(&child);
    let usage = child::wait(child, "cloudspout")?;
    bench.check(lines)?;
    Ok((daemon.cpu()? - before, usage.cpu))
}
