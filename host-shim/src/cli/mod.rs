//! The command line: what can be said, and how it ends.

mod awslogs;
mod check;
mod config;
mod credentials;
mod events;
pub mod exit;
mod filter;
mod lanes;
mod local;
mod log_opts;
mod logging;
mod metrics;
mod names;
mod naming;
mod route;
mod serve;
mod settled;
mod ship;
mod shipping;
mod signals;
mod tenants;

// What the component's own command line understands in the same way stands in one file for both.
#[path = "../../../src/command/code.rs"]
mod code;
#[path = "../../../src/size.rs"]
mod size;

use clap::{Parser, Subcommand};

use exit::Ending;
pub use logging::LogFormat;

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
    Run(Box<ship::Run>),
    /// Check a configuration file, and with `--online` what it needs of AWS
    Check(Box<check::Check>),
    /// Ship standard input, and end once all of it is accepted
    Pipe(Box<ship::Pipe>),
    /// Take events that others send, by HTTP and TCP, and answer once CloudWatch has them
    #[command(mut_arg("flush_after", |arg| arg.help("How long an event may wait for others [default: 200ms]")))]
    Serve(Box<serve::Serve>),
    /// Show which log group and log stream each container would get, and why; needs no AWS
    Names(Box<names::Names>),
    /// Serve CloudWatch Logs on this machine, to try things out and to test
    Local(Box<local::Local>),
}

const EXAMPLES: &str = "\
Examples:
  cloudspout run --region eu-central-1                   every container of this host
  cloudspout run --group '/docker/{{.Hostname}}' --stream '{{.Name}}/{{.ID}}' --state-dir /var/lib/cloudspout
  make 2>&1 | cloudspout pipe --group builds --stream \"$(date +%F)\"
  cloudspout serve --group '/apps/{{.Event.service}}'     for the http outputs of Vector, Fluent Bit, OpenTelemetry
  cloudspout names --group '/docker/{{.Hostname}}'         what each container would get, and why
  cloudspout local                                       an endpoint to try it with, without AWS";

/// With what a script has to know.
fn examples_and_codes() -> String {
    format!("{EXAMPLES}\n\n{}", code::Code::listed())
}

impl Cli {
    /// Reads the command line; what clap has to say about it ends the program.
    ///
    /// # Errors
    /// For an option of Docker's that cannot be.
    pub fn read() -> Result<Cli, Ending> {
        Ok(Cli::parse_from(log_opts::spelled_out(std::env::args_os())?))
    }

    /// How the program is to speak of itself.
    pub fn log_format(&self) -> LogFormat {
        match &self.command {
            Command::Run(run) => run.log_format(),
            Command::Check(check) => check.log_format(),
            Command::Pipe(pipe) => pipe.log_format(),
            Command::Serve(serve) => serve.log_format(),
            Command::Names(names) => names.log_format(),
            Command::Local(local) => local.log_format(),
        }
    }

    /// Does what was said.
    pub fn run(self) -> Result<(), Ending> {
        match self.command {
            Command::Run(run) => run.run(),
            Command::Check(check) => check.run(),
            Command::Pipe(pipe) => pipe.run(),
            Command::Serve(serve) => serve.run(),
            Command::Names(names) => names.run(),
            Command::Local(local) => local.run(),
        }
    }
}
