//! The command line: what can be said, and how it ends.

mod events;
pub mod exit;
mod local;
mod logging;
mod naming;
mod ship;
mod signals;

// What the component's own command line understands in the same way stands in one file for both.
#[path = "../../../src/command/code.rs"]
mod code;
#[path = "../../../src/command/size.rs"]
mod size;

use clap::{Parser, Subcommand};

use exit::Ending;
use logging::LogFormat;

/// Ships container logs to Amazon CloudWatch Logs, and loses nothing on the way.
///
/// All that happens to a log between Docker and CloudWatch happens in one sandboxed WebAssembly component,
/// which this program carries inside and runs.
#[derive(Debug, Parser)]
#[command(name = "cloudspout", version, after_help = EXAMPLES, after_long_help = examples_and_codes())]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Follow the containers of a Docker daemon: those that run, and those that start later
    Run(ship::Run),
    /// Ship standard input, and end once all of it is accepted
    Pipe(ship::Pipe),
    /// Serve CloudWatch Logs on this machine, to try things out and to test
    Local(local::Local),
}

const EXAMPLES: &str = "\
Examples:
  cloudspout run --region eu-central-1                   every container of this host
  cloudspout run --group '/docker/{{.Hostname}}' --stream '{{.Name}}/{{.ID}}' --state-dir /var/lib/cloudspout
  make 2>&1 | cloudspout pipe --group builds --stream \"$(date +%F)\"
  cloudspout local                                       an endpoint to try it with, without AWS";

/// With what a script has to know.
fn examples_and_codes() -> String {
    format!("{EXAMPLES}\n\n{}", code::Code::listed())
}

impl Cli {
    /// How the program is to speak of itself.
    pub fn log_format(&self) -> LogFormat {
        match &self.command {
            Command::Run(run) => run.log_format(),
            Command::Pipe(pipe) => pipe.log_format(),
            Command::Local(local) => local.log_format(),
        }
    }

    /// Does what was said.
    pub fn run(self) -> Result<(), Ending> {
        match self.command {
            Command::Run(run) => run.run(),
            Command::Pipe(pipe) => pipe.run(),
            Command::Local(local) => local.run(),
        }
    }
}
