//! The `cloudspout` program.

mod cli;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(ending) => {
            eprintln!("cloudspout: {ending}");
            ExitCode::from(ending.code)
        }
    }
}
