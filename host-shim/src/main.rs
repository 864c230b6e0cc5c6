//! The `cloudspout` program.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    let (format, result) = match cli::Cli::read() {
        Ok(cli) => (cli.log_format(), cli.run()),
        Err(ending) => (cli::LogFormat::Human, Err(ending)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(ending) => {
            format.say("ERROR", &format!("cloudspout: {ending}"));
            ExitCode::from(ending.code as u8)
        }
    }
}
