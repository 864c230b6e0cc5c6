//! The `cloudspout` program.

mod cli;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let format = cli.log_format();
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(ending) => {
            format.say("ERROR", &format!("cloudspout: {ending}"));
            ExitCode::from(ending.code as u8)
        }
    }
}
