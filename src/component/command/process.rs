//! What the run loop needs, from standard streams and the environment.

use sha2::{Digest as _, Sha256};
use wasi::io::poll::Pollable;

use super::say;
use super::standard_input::StandardInput;
use crate::batch::SourceId;
use crate::command::{Command, Environment, credentials};
use crate::component::host::Host;
use crate::lines::Framing;
use crate::naming::Container;
use crate::shipper::{
    Counts, CredentialsError, Fate, Filter, KeepId, Opening, Pause, Phase, Positions, Severity, Status,
};
use crate::sigv4::Credentials;
use crate::time::Timestamp;

/// The process that we are.
pub struct Process {
    input: StandardInput,
    framing: Framing,
    opened: bool,
    /// Whether the loop has heard that nothing more will come.
    end_heard: bool,
    environment: Environment,
    found: Option<Result<Credentials, CredentialsError>>,
    not_kept: Vec<KeepId>,
    level: Severity,
    counts: Counts,
    problem: Option<String>,
}

/// How variables come here.
const HAND_ON: &str = "hand the environment on: `wasmtime run -S inherit-env`, or `--env NAME` for each";

/// The only log stream there is.
const INPUT: SourceId = SourceId(1);

impl Process {
    pub fn new(environment: Environment, command: &Command) -> Process {
        Process {
            input: StandardInput::new(),
            framing: command.framing,
            opened: false,
            end_heard: false,
            environment,
            found: None,
            not_kept: Vec::new(),
            level: command.level,
            counts: Counts::default(),
            problem: None,
        }
    }

    /// What kept standard input from being read to its end.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// Says at the end what was done, if anything was.
    pub fn sum_up(&mut self) {
        if self.counts.events_accepted > 0 {
            self.tell(Severity::Info, self.counts.to_string());
        }
    }
}

impl Host for Process {
    fn accept(&mut self) -> Option<(SourceId, Opening)> {
        if std::mem::replace(&mut self.opened, true) {
            return None;
        }
        let opening = Opening {
            framing: self.framing,
            start: 0,
            taken: Positions::default(),
            lost: None,
            terminal: false,
            container: Container::default(),
        };
        Some((INPUT, opening))
    }

    fn ready(&mut self) -> Vec<SourceId> {
        if self.input.is_newly_ready() { vec![INPUT] } else { Vec::new() }
    }

    fn phase(&mut self, _now: Timestamp) -> Phase {
        self.end_heard = self.input.has_ended();
        if self.end_heard { Phase::Finishing } else { Phase::Running }
    }

    fn read(&mut self, _source: SourceId, max: u32) -> Result<Vec<u8>, Pause> {
        self.input.read(max).ok_or(Pause::Ended).inspect_err(|_| {
            self.problem =
                self.input.problem().map(|problem| format!("standard input cannot be read: {problem}"));
        })
    }

    // Standard input never pauses, and cannot be read again.
    fn resume(&mut self, _source: SourceId, _taken: &Positions) -> Option<u64> {
        None
    }

    fn acknowledge(&mut self, _source: SourceId, _accepted: &Positions) {}

    fn refuse(&mut self, _source: SourceId, _events: u64) {}

    fn settle(&mut self, _source: SourceId, _fate: Fate) {}

    fn release(&mut self, _source: SourceId) {}

    // The environment has what it has: there are no others.
    fn fetch_credentials(&mut self, _renew: bool) {
        self.found = Some(credentials(&self.environment, HAND_ON));
    }

    fn take_credentials(&mut self) -> Option<Result<Credentials, CredentialsError>> {
        self.found.take()
    }

    // There is no file to keep them in, nor an option to ask for it.
    fn keep(&mut self, id: KeepId, _lines: &[u8]) {
        self.not_kept.push(id);
    }

    fn take_kept(&mut self) -> Vec<(KeepId, Result<(), String>)> {
        self.not_kept.drain(..).map(|id| (id, Err("there are no files here".to_owned()))).collect()
    }

    // There is no option to ask for one.
    fn filter(&self) -> Option<Box<dyn Filter>> {
        None
    }

    fn tell(&mut self, severity: Severity, text: String) {
        if severity >= self.level {
            let how_bad = match severity {
                Severity::Debug => "debug",
                Severity::Info => "info",
                Severity::Warning => "warning",
                Severity::Error => "error",
            };
            say(&format!("{how_bad}: {text}"));
        }
    }

    fn count(&mut self, counts: &Counts, _status: &Status) {
        self.counts = *counts;
    }

    fn has_news(&self) -> bool {
        self.found.is_some() || !self.not_kept.is_empty() || self.input.has_ended() != self.end_heard
    }

    fn pollables(&self) -> Vec<&Pollable> {
        self.input.pollable().into_iter().collect()
    }

    fn sha256(data: &[u8]) -> [u8; 32] {
        Sha256::digest(data).into()
    }
}
