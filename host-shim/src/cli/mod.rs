//! The command line: what can be said, and how it ends.

pub mod exit;
mod local;
mod logging;
mod ship;
mod signals;
mod size;

use clap::{Parser, Subcommand};

use exit::Ending;
use logging::LogFormat;

/// Ships container logs to Amazon CloudWatch Logs, and loses nothing on the way.
///
/// All that happens to a log between Docker and CloudWatch happens in one sandboxed WebAssembly component,
/// which this program carries inside and runs.
#[derive(Debug, Parser)]
#[command(name = "cloudspout", version, after_help = EXAMPLES, after_long_help = EXAMPLES_AND_ENDINGS)]
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

const EXAMPLES_AND_ENDINGS: &str = "\
Examples:
  cloudspout run --region eu-central-1                   every container of this host
  cloudspout run --group '/docker/{{.Hostname}}' --stream '{{.Name}}/{{.ID}}' --state-dir /var/lib/cloudspout
  make 2>&1 | cloudspout pipe --group builds --stream \"$(date +%F)\"
  cloudspout local                                       an endpoint to try it with, without AWS

Exit codes:
  0  everything read was accepted
  1  something else went wrong
  2  the command line is wrong
  3  a setting cannot be used: region, endpoint, template, state directory
  4  Docker cannot be reached
  5  credentials are missing or refused
  6  CloudWatch does not permit it
  7  the endpoint cannot be reached, or is not CloudWatch Logs
  8  everything was sent, but CloudWatch refused some events for good
  9  ended with events read and not delivered";

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
