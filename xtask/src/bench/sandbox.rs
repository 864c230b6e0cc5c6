//! The sandbox's price: the component against the same core compiled natively.

use std::process::Command;

use super::Bench;
use crate::inputs::{Framing, Log, Text};
use crate::page::Table;
use crate::statistics::Series;
use crate::{child, machine};

const CASES: [(&str, Log); 6] = [
    ("lines of 20 B", Log::new(Framing::Lines, Text::Plain, 1_000_000, 20)),
    ("lines of 100 B", Log::new(Framing::Lines, Text::Plain, 1_000_000, 100)),
    ("lines of 1 KB", Log::new(Framing::Lines, Text::Plain, 200_000, 1_024)),
    ("lines of 16 KB", Log::new(Framing::Lines, Text::Plain, 8_000, 16_000)),
    ("json-file entries of 100 B", Log::new(Framing::JsonFile, Text::Plain, 1_000_000, 100)),
    ("frames of 100 B", Log::new(Framing::FramesWithTimes, Text::Plain, 1_000_000, 100)),
];

pub fn measure(bench: &Bench) -> Result<String, String> {
    let (driver, component) = build()?;
    let mut table =
        Table::new(&["input", "native: CPU s", "component: CPU s", "price", "price, least against least"]);
    for (name, log) in CASES {
        let log = Log { lines: bench.of(log.lines), ..log };
        let mut command = Command::new(&driver);
        command.arg(&component).arg(log.framing.name()).arg(log.file(&bench.scratch)?);
        let printed = child::output_of(command.arg((3 * bench.rounds()).to_string()))?;
        let (mut native, mut sandboxed, mut price) =
            (Series::default(), Series::default(), Series::default());
        for line in printed.lines() {
            let pair: Vec<f64> = line.split(' ').filter_map(|figure| figure.parse().ok()).collect();
            let [a, b] = pair.as_slice() else { return Err(format!("not a pair: {line}")) };
            native.push(*a);
            sandboxed.push(*b);
            price.push(b / a);
        }
        // What else the machine does only ever adds: the least of each is the closest to the truth.
        let least = format!("{:.2}", sandboxed.least() / native.least());
        table.row(&[name.to_owned(), native.text(3), sandboxed.text(3), price.text(2), least]);
    }
    Ok(table.into_text())
}

/// Builds the driver, and the component as the program has it; says where they are.
fn build() -> Result<(std::path::PathBuf, std::path::PathBuf), String> {
    let cargo = |arguments: &[&str]| {
        let status = Command::new(machine::cargo()).current_dir(machine::root()).args(arguments).status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("cargo {}: {status}", arguments.join(" "))),
            Err(error) => Err(format!("cargo: {error}")),
        }
    };
    let target = machine::target();
    let components = target.join("component");
    let directory = components.to_string_lossy();
    // Together with the program, so that the engine is not built anew with fewer features.
    let packages = ["--package", "cloudspout", "--package", "cloudspout-host", "--package", "xtask"];
    let features = ["--features", "xtask/sandbox", "--bin", "sandbox"];
    cargo(&[&["build", "--release"], packages.as_slice(), &features].concat())?;
    let component =
        ["--package", "cloudspout", "--lib", "--profile", "component", "--target", "wasm32-wasip2"];
    cargo(&[&["build", "--target-dir", &directory], component.as_slice()].concat())?;
    Ok((target.join("release/sandbox"), components.join("wasm32-wasip2/component/cloudspout.wasm")))
}
