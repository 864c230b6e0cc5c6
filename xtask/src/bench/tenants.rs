//! Many tenants in one process: what each of them costs, with nothing to do and with a line to ship; and what it costs
//! a log to be a tenant's.

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use super::Bench;
use super::idle::{resident_mib, settled};
use super::imitation::{Imitation, id};
use super::stdin::each;
use crate::child::{self, Background, until};
use crate::endpoint::Endpoint;
use crate::inputs::{Framing, Log, Text};
use crate::page::Table;
use crate::statistics::Series;

const COUNTS: [usize; 3] = [1, 100, 1_000];

pub fn measure(bench: &Bench) -> Result<String, String> {
    let endpoint = Endpoint::start(&bench.program, &bench.scratch)?;
    let watched = Duration::from_secs(if bench.small { 5 } else { 20 });
    let mut table = Table::new(&[
        "tenants",
        "CPU of the start, s",
        "CPU a minute, s",
        "resident MiB",
        "a line each, delivered: s",
        "CPU, s",
        "peak MiB",
    ]);
    let mut first = None;
    let mut note = String::new();
    for count in COUNTS {
        let idle = idle(bench, &endpoint, count, watched)?;
        let busy = busy(bench, &endpoint, count)?;
        table.row(&[
            count.to_string(),
            format!("{:.2}", idle.start),
            format!("{:.2}", idle.minute),
            format!("{:.0}", idle.resident),
            format!("{:.2}", busy.0.as_secs_f64()),
            format!("{:.2}", busy.1.cpu.0),
            format!("{:.0}", busy.1.peak_mib),
        ]);
        let (resident, start) = *first.get_or_insert((idle.resident, idle.start));
        let others = count.saturating_sub(1).max(1) as f64;
        note = format!(
            "An idle tenant more takes {:.0} KiB, and {:.2} ms of CPU to start.",
            (idle.resident - resident) * 1024.0 / others,
            (idle.start - start) * 1e3 / others
        );
    }
    table.note(&note);
    Ok(table.into_text())
}

/// The same log, by a plain `run` and by a tenant of its own.
pub fn measure_one(bench: &Bench) -> Result<String, String> {
    let endpoint = Endpoint::start(&bench.program, &bench.scratch)?;
    let daemon = Imitation::start(1)?;
    let lines = bench.of(1_000_000);
    let log = Log::new(Framing::JsonFile, Text::Plain, lines, 100).file(&bench.scratch)?;
    let place = daemon.log(0);
    fs::copy(&log, &place).map_err(|error| format!("{}: {error}", place.display()))?;
    let tenant = |name: &str, keys: &str| {
        let path = bench.scratch.join(format!("{name}.toml"));
        fs::write(&path, format!("[[tenant]]\nname = 't'\ndefault = true\ngroup = 'bench'\n{keys}"))
            .map_err(|error| format!("{}: {error}", path.display()))?;
        Ok::<_, String>(path.display().to_string())
    };
    let (free, confined) = (tenant("free", "")?, tenant("confined", "confine = 'bench'\n")?);
    let mut table =
        Table::new(&["compression", "who ships", "CPU s", "ns an event", "against `run`, least to least"]);
    for compression in ["none", "gzip"] {
        let ways: [(&str, &[&str]); 3] = [
            ("`run`", &[]),
            ("a tenant", &["--config", &free]),
            ("a tenant with `confine`", &["--config", &confined]),
        ];
        let mut all = ways.map(|_| Series::default());
        for _ in 0..2 * bench.rounds() {
            for ((_, options), cpu) in ways.iter().zip(&mut all) {
                let run = ["run", "--once", "--docker-host", &daemon.host, "--source", "files"];
                let arguments = [&run, *options, &["--compression", compression]].concat();
                cpu.push(bench.ship(&mut bench.command(&arguments, &endpoint), lines)?.cpu.0);
            }
        }
        let plain = all.first().map_or(f64::NAN, Series::least);
        for ((name, _), cpu) in ways.iter().zip(&all) {
            let price = format!("{:.2}", cpu.least() / plain);
            table.row(&[compression.to_owned(), (*name).to_owned(), cpu.text(2), each(cpu, lines), price]);
        }
    }
    Ok(table.into_text())
}

/// What tenants take that have no container.
struct Idle {
    start: f64,
    minute: f64,
    resident: f64,
}

fn idle(bench: &Bench, endpoint: &Endpoint, count: usize, watched: Duration) -> Result<Idle, String> {
    // The only container there is is nobody's.
    let daemon = Imitation::start(1)?;
    let config = configuration(bench, count, |number| format!("none-{number}"))?;
    let arguments = ["run", "--config", &config, "--docker-host", &daemon.host, "--source", "files"];
    let program = Background(bench.start(&mut bench.command(&arguments, endpoint))?);
    let pid = program.0.id();
    let (said, words) = (bench.scratch.join("said.log"), format!("{count} tenants"));
    until("the tenants", || fs::read_to_string(&said).ok()?.contains(&words).then_some(()))?;
    let start = settled(pid)?;
    std::thread::sleep(watched);
    let minute = (child::taken_by(pid)? - start).0 * 60.0 / watched.as_secs_f64();
    Ok(Idle { start: start.0, minute, resident: resident_mib(pid)? })
}

/// How long it takes, and what, until each has shipped the line of a container of its own.
fn busy(bench: &Bench, endpoint: &Endpoint, count: usize) -> Result<(Duration, child::Usage), String> {
    let daemon = Imitation::start(count)?;
    let config = configuration(bench, count, id)?;
    let arguments =
        ["run", "--once", "--config", &config, "--docker-host", &daemon.host, "--source", "files"];
    let began = Instant::now();
    let usage = child::wait(bench.start(&mut bench.command(&arguments, endpoint))?, "cloudspout")?;
    let took = began.elapsed();
    let said = fs::read_to_string(bench.scratch.join("said.log")).map_err(|error| error.to_string())?;
    let delivered = said.lines().filter(|line| line.contains("1 events read, 1 accepted")).count();
    if delivered != count {
        return Err(format!("{delivered} of {count} tenants delivered their line:\n{said}"));
    }
    Ok((took, usage))
}

/// A file of tenants, each with the container of one name; its path.
fn configuration(bench: &Bench, count: usize, named: impl Fn(usize) -> String) -> Result<String, String> {
    let mut text = "flush-after = '100ms'\nstream = 's'\nbuffer = '8MiB'\n".to_owned();
    for number in 0..count {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "[[tenant]]\nname = 't{number}'\nmatch-name = ['{}']\ngroup = '/t/{number}'\nconfine = '/t/{number}'\n",
            named(number)
        );
    }
    let path = bench.scratch.join("tenants.toml");
    fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path.display().to_string())
}
