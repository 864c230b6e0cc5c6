//! `cargo xtask instructions`: the core's instructions on small inputs, counted by valgrind, against bounds.
//!
//! Instructions are the same at each run and on each machine of one kind, which times are not. Counted is
//! the way from raw bytes to signed requests, without the digest of bodies: benches/core.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::inputs::{Framing, Log, Text};
use crate::machine;
use crate::page::{self, Table};

/// How far beyond the count that was blessed a count may be, in percent.
const ROOM: u64 = 5;

/// What is counted: small, and long enough that the start is not seen.
const CASES: [(&str, Log); 10] = [
    ("lines-20", Log::new(Framing::Lines, Text::Plain, 40_000, 20)),
    ("lines-100", Log::new(Framing::Lines, Text::Plain, 20_000, 100)),
    ("lines-1k", Log::new(Framing::Lines, Text::Plain, 4_000, 1_024)),
    ("lines-1k-json", Log::new(Framing::Lines, Text::Json, 4_000, 1_024)),
    ("lines-1k-utf8", Log::new(Framing::Lines, Text::Utf8, 4_000, 1_024)),
    ("ready-100", Log::new(Framing::Ready, Text::Plain, 20_000, 100)),
    ("json-file-100", Log::new(Framing::JsonFile, Text::Plain, 20_000, 100)),
    ("json-file-100-quotes", Log::new(Framing::JsonFile, Text::Json, 20_000, 100)),
    ("json-file-1k-utf8", Log::new(Framing::JsonFile, Text::Utf8, 4_000, 1_024)),
    ("frames-100", Log::new(Framing::FramesWithTimes, Text::Plain, 20_000, 100)),
];

/// # Errors
/// A count is beyond its bound, or cannot be taken.
pub fn run(options: &[&str]) -> Result<(), String> {
    let bless = match options {
        [] => false,
        ["--bless"] => true,
        other => return Err(format!("instructions does not know {}", other.join(" "))),
    };
    if Command::new("valgrind").arg("--version").output().is_err() {
        return Err("valgrind is missing, which counts instructions: apt-get install valgrind".to_owned());
    }
    let bounds_file = machine::root().join("benches/instructions.txt");
    let bounds = if bless { BTreeMap::new() } else { read(&bounds_file)? };
    let program = build()?;
    let directory = machine::scratch()?;
    let mut lines = Vec::new();
    let mut beyond = Vec::new();
    let mut table = Table::new(&["input", "instructions an event", "a byte"]);
    println!("{:22} {:>12} {:>10} {:>9} {:>12}", "case", "instructions", "an event", "a byte", "bound");
    for (name, log) in CASES {
        let file = log.file(&directory)?;
        let bytes = fs::metadata(&file).map_err(|error| error.to_string())?.len();
        let count = count(&program, &log, &file)?;
        let bound = bounds.get(name).copied().unwrap_or(count + count * ROOM / 100);
        let (event, byte) = (count as f64 / log.lines as f64, count as f64 / bytes as f64);
        println!("{name:22} {count:>12} {event:>10.1} {byte:>9.2} {bound:>12}");
        let input = format!("{}, {}, {} B", log.framing.name(), log.text.name(), log.width);
        table.row(&[input, format!("{event:.0}"), format!("{byte:.1}")]);
        lines.push(format!("{name} {count} {bound}"));
        if count > bound {
            beyond.push(format!("{name} takes {count} instructions: its bound is {bound}"));
        } else if !bless && !bounds.contains_key(name) {
            beyond.push(format!("{name} has no bound in {}", bounds_file.display()));
        }
    }
    if bless {
        page::write("instructions", &table.into_text())?;
        let text = format!("{HEAD}{}\n", lines.join("\n"));
        return fs::write(&bounds_file, text).map_err(|error| format!("{}: {error}", bounds_file.display()));
    }
    if beyond.is_empty() {
        return Ok(());
    }
    beyond.push("if that is as it should be: cargo xtask instructions --bless".to_owned());
    Err(beyond.join("\n"))
}

/// Builds the core's driver, and says where it is.
fn build() -> Result<PathBuf, String> {
    let mut cargo = Command::new(machine::cargo());
    cargo.current_dir(machine::root());
    // The features of the workspace as a whole: a test run has built just that already.
    cargo.args(["build", "--release", "--workspace", "--bench", "core"]);
    cargo.args(["--message-format", "json-render-diagnostics"]);
    let output =
        cargo.stderr(std::process::Stdio::inherit()).output().map_err(|error| format!("cargo: {error}"))?;
    if !output.status.success() {
        return Err(format!("the core cannot be built: cargo ended with {}", output.status));
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let executables = messages.lines().filter(|line| line.contains("\"name\":\"core\""));
    let path = executables.filter_map(|line| after(line, "\"executable\":\"")?.split('"').next()).next_back();
    path.map(PathBuf::from).ok_or_else(|| "cargo does not say what it built".to_owned())
}

fn count(program: &Path, log: &Log, file: &Path) -> Result<u64, String> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    valgrind.args(["--collect-atstart=no", "--toggle-collect=measured"]);
    valgrind.arg(program).arg(log.framing.name()).arg(file);
    let output = valgrind.output().map_err(|error| format!("valgrind: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{} under valgrind: {}\n{said}", program.display(), output.status));
    }
    let counted = String::from_utf8_lossy(&output.stdout);
    if counted.split(' ').next() != Some(&log.lines.to_string()) {
        return Err(format!("{} lines became other events: {counted}", log.lines));
    }
    let collected = said.lines().find_map(|line| after(line, "Collected : "));
    let collected = collected.and_then(|count| count.trim().parse().ok()).filter(|count| *count > 0);
    collected.ok_or_else(|| format!("valgrind gives no count:\n{said}"))
}

/// The bounds, by case.
fn read(file: &Path) -> Result<BTreeMap<String, u64>, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            [case, _, bound] => {
                let bound = bound.parse().map_err(|_| format!("{}: {line}", file.display()))?;
                Ok(((*case).to_owned(), bound))
            }
            _ => Err(format!("{}: not a case, a count and a bound: {line}", file.display())),
        })
        .collect()
}

fn after<'a>(line: &'a str, what: &str) -> Option<&'a str> {
    line.find(what).and_then(|at| line.get(at + what.len()..))
}

const HEAD: &str = "\
# The core's instructions: case, count, bound. `cargo xtask instructions` fails beyond the bound, and
# `cargo xtask instructions --bless` writes this file.
";
