//! `cargo xtask bench`: the whole program in CPU seconds and memory, side by side, into docs/PERFORMANCE.md.
//!
//! Time depends on the machine and on what else it does: nothing here passes or fails.

mod containers;
mod daemon;
mod docker;
mod envoy;
mod gzip;
mod idle;
mod imitation;
mod peers;
mod sandbox;
mod shipping;
mod start;
mod stdin;
mod tenants;

use std::path::PathBuf;
use std::process::Command;

use crate::{machine, page};

/// What every table needs.
pub struct Bench {
    /// The program to measure.
    pub program: PathBuf,
    /// Where inputs are, and what the program said.
    pub scratch: PathBuf,
    pub small: bool,
}

type Measure = fn(&Bench) -> Result<String, String>;

/// The tables, by name, in the order of the page.
const TABLES: [(&str, Measure); 12] = [
    ("stdin", stdin::measure),
    ("docker", docker::measure),
    ("peers", peers::measure),
    ("containers", containers::measure),
    ("idle", idle::measure),
    ("tenants", tenants::measure),
    ("tenant", tenants::measure_one),
    ("text", stdin::measure_text),
    ("gzip", gzip::measure),
    ("envoy", envoy::measure),
    ("sandbox", sandbox::measure),
    ("start", start::measure),
];

/// # Errors
/// Something cannot be measured that should be.
pub fn run(options: &[&str]) -> Result<(), String> {
    let (mut small, mut dry, mut only, mut program) = (false, false, None, None);
    let mut options = options.iter();
    while let Some(option) = options.next() {
        let mut value = || options.next().ok_or_else(|| format!("{option} wants a value"));
        match *option {
            "--small" => small = true,
            "--dry" => dry = true,
            "--only" => only = Some(*value()?),
            "--program" => program = Some(PathBuf::from(value()?)),
            other => return Err(format!("bench does not know {other}")),
        }
    }
    if let Some(only) = only
        && !TABLES.iter().any(|(name, _)| *name == only)
    {
        let names: Vec<_> = TABLES.iter().map(|(name, _)| *name).collect();
        return Err(format!("no table is called {only}: {}", names.join(", ")));
    }
    let program = match program {
        Some(program) => program,
        None => build()?,
    };
    let bench = Bench { program, scratch: machine::scratch()?, small };
    for (name, measure) in TABLES.iter().filter(|(name, _)| only.is_none_or(|only| only == *name)) {
        eprintln!("{name} ...");
        let table = match measure(&bench) {
            Ok(table) => {
                format!("{}{}\n\n{table}", machine::line(), if small { ", small inputs" } else { "" })
            }
            Err(why) => {
                eprintln!("{name}: left out: {why}");
                continue;
            }
        };
        println!("\n{table}");
        if !dry {
            page::write(name, &table)?;
        }
    }
    Ok(())
}

impl Bench {
    /// So many lines, or bytes, for a run of the size asked for.
    pub fn of(&self, lines: u64) -> u64 {
        if self.small { lines / 10 } else { lines }
    }

    /// How often each case is run.
    pub fn rounds(&self) -> usize {
        if self.small { 3 } else { 5 }
    }
}

fn build() -> Result<PathBuf, String> {
    let mut cargo = Command::new(machine::cargo());
    cargo.current_dir(machine::root()).args(["build", "--release"]);
    match cargo.status() {
        Ok(status) if status.success() => Ok(machine::target().join("release/cloudspout")),
        Ok(status) => Err(format!("the program cannot be built: cargo ended with {status}")),
        Err(error) => Err(format!("cargo: {error}")),
    }
}
