//! Temporary credentials, issued as STS, ECS and EKS issue them (`tests/peers/issuer.py`).

use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Running, file, python};
use crate::program::{KEY_ID, TEMPORARY_KEY_ID, TEMPORARY_SECRET, TEMPORARY_TOKEN};
use crate::strict::first_line;

/// An issuer that is listening; it issues the temporary credentials that the strict endpoint takes.
pub struct Issuer {
    _running: Running,
    folder: TempDir,
    port: u16,
}

impl Issuer {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut command = python("python");
        command.arg(file("peers/issuer.py")).arg("--journal").arg(folder.path().join("journal"));
        command.args(["--signer", KEY_ID, "--issue", TEMPORARY_KEY_ID, TEMPORARY_SECRET, TEMPORARY_TOKEN]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut running = Running::start("the issuer", &mut command);
        let port = first_line(&mut running).parse().expect("the issuer prints its port");
        Self { _running: running, folder, port }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it was asked for, in order.
    pub fn asked(&self) -> Vec<Value> {
        let journal = std::fs::read_to_string(self.folder.path().join("journal")).expect("the journal");
        journal.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}
