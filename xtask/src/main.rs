//! The project's own chores: counting the core's instructions.

mod inputs;
mod instructions;
mod machine;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
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
cargo xtask instructions [--bless]
    counts the core's instructions under valgrind, and fails beyond the bounds of benches/instructions.txt
    --bless         write the bounds anew";
