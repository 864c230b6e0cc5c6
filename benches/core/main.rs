//! The core without sandbox, network or clock: `core FRAMING FILE` takes a log from raw bytes to signed
//! requests, and says what it counted.
//!
//! It is what `cargo xtask instructions` counts the instructions of. The digest of bodies is left out: what
//! it costs is the machine's instructions for it, which valgrind does not know.

#![allow(clippy::disallowed_methods, reason = "a program of its own, which reads files")]

mod drive;

use std::env;
use std::hint::black_box;
use std::process::ExitCode;

use cloudspout::lines::Framing;
use cloudspout::shipper::Counts;
use drive::Input;

fn main() -> ExitCode {
    // `cargo bench` and `cargo test --benches` give flags of their own.
    let arguments: Vec<_> = env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let [framing, file] = arguments.as_slice() else {
        println!("core FRAMING FILE: see `cargo xtask instructions`");
        return ExitCode::SUCCESS;
    };
    match run(framing, file) {
        Ok(counts) => {
            println!("{} {} {}", counts.events_accepted, counts.bytes_read, counts.requests_sent);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("core: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(framing: &str, file: &str) -> Result<Counts, String> {
    let framing = match framing {
        "ready" => None,
        "lines" => Some(Framing::Lines),
        "lines-with-times" => Some(Framing::LinesWithTimes),
        "frames" => Some(Framing::Frames),
        "frames-with-times" => Some(Framing::FramesWithTimes),
        "json-file" => Some(Framing::JsonFile),
        other => return Err(format!("no framing is called {other}")),
    };
    let bytes = std::fs::read(file).map_err(|error| format!("{file}: {error}"))?;
    measured(&Input { bytes: &bytes, framing })
}

/// What is counted: its name is how it is found.
#[unsafe(no_mangle)]
#[inline(never)]
fn measured(input: &Input) -> Result<Counts, String> {
    drive::drive(black_box(input), Box::new(|_| [7; 32]))
}
