//! The project's own chores: building what runs in other hosts, measuring the program, and counting the
//! core's instructions.

mod inputs;
mod instructions;

mod wasm;

mod bench;
mod child;
mod endpoint;
mod machine;
mod page;
mod statistics;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        ["wasm", options @ ..] => wasm::run(wasm::COMPONENT, options),
        ["envoy", options @ ..] => wasm::run(wasm::ENVOY, options),
        ["bench", options @ ..] => bench::run(options),
        ["instructions", options @ ..] => instructions::run(options),
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

const USAGE: &str = "\
cargo xtask wasm
    builds target/cloudspout.wasm, the component for hosts that offer nothing but WASI
cargo xtask envoy
    builds target/cloudspout-envoy.wasm, the module for Envoy
cargo xtask bench [--small] [--only NAME] [--program FILE] [--dry]
    measures the program, and writes the tables of docs/PERFORMANCE.md
    --small         a tenth of the input, and fewer repetitions
    --only NAME     one table only; the others stay as they are
    --program FILE  the program to measure; else it is built
    --dry           print, and write nothing
cargo xtask instructions [--bless]
    counts the core's instructions under valgrind, and fails beyond the bounds of benches/instructions.txt
    --bless         write the bounds anew, and the table of docs/PERFORMANCE.md";
