//! Running the program once, and what it took.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::Bench;
use crate::child::{self, Usage};
use crate::endpoint::{CREDENTIALS, Endpoint};

impl Bench {
    /// `cloudspout` with arguments, to an endpoint.
    pub fn command(&self, arguments: &[&str], endpoint: &Endpoint) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).args(["--group", "bench", "--endpoint-url", &endpoint.url]);
        command.envs(CREDENTIALS).env_remove("AWS_SESSION_TOKEN").env_remove("AWS_PROFILE");
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    /// Ships a file through `cloudspout pipe`; the file comes through a pipe, as from another program.
    ///
    /// `options` begin with the framing.
    pub fn pipe(
        &self,
        file: &Path,
        options: &[&str],
        lines: u64,
        endpoint: &Endpoint,
    ) -> Result<Usage, String> {
        let pipe = ["pipe", "--stream", "bench", "--framing"];
        let mut command = self.command(&[&pipe, options].concat(), endpoint);
        let mut cat =
            Command::new("cat").arg(file).stdout(Stdio::piped()).spawn().map_err(|e| e.to_string())?;
        if let Some(out) = cat.stdout.take() {
            command.stdin(out);
        }
        let usage = self.ship(&mut command, lines);
        cat.wait().map_err(|error| error.to_string())?;
        usage
    }

    /// Runs a command to its end, and checks that it delivered so many events.
    pub fn ship(&self, command: &mut Command, lines: u64) -> Result<Usage, String> {
        let child = self.start(command)?;
        let usage = child::wait(child, "cloudspout");
        self.check(lines)?;
        usage
    }

    pub fn start(&self, command: &mut Command) -> Result<Child, String> {
        let log = File::create(self.scratch.join("said.log")).map_err(|error| error.to_string())?;
        command.stderr(log).spawn().map_err(|error| format!("{}: {error}", self.program.display()))
    }

    /// Whether the program says that it delivered so many events.
    pub fn check(&self, lines: u64) -> Result<(), String> {
        let said = fs::read_to_string(self.scratch.join("said.log")).map_err(|error| error.to_string())?;
        match said.contains(&format!("{lines} accepted")) {
            true => Ok(()),
            false => Err(format!("{lines} events were to be delivered:\n{said}")),
        }
    }
}
