//! `cloudspout serve`, and those who send to it: urllib3, OpenTelemetry's SDK.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::process::{Running, collect, file, must, python};
use crate::program::{Outcome, PATIENCE, Program, Shipping};

/// The program while it takes what is sent.
pub struct Serving {
    shipping: Shipping,
    url: String,
}

/// An answer to a request.
#[derive(Debug)]
pub struct Answer {
    pub status: u64,
    pub headers: Value,
    pub body: String,
}

/// Clients that send at once.
pub struct Load {
    running: Running,
    stdout: std::thread::JoinHandle<Vec<u8>>,
}

impl Serving {
    /// Starts `cloudspout serve`, on a free port.
    pub fn start(program: Program) -> Self {
        let shipping = program.args(&["--listen", "127.0.0.1:0"]).start();
        let url = shipping.said_behind("takes events at ");
        Self { shipping, url }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// The address for lines.
    pub fn socket(&self) -> String {
        self.shipping.said_behind("takes lines at ")
    }

    pub fn shipping(&mut self) -> &mut Shipping {
        &mut self.shipping
    }

    pub fn terminate(self) -> Outcome {
        self.shipping.terminate()
    }

    pub fn kill(self) -> Outcome {
        self.shipping.kill()
    }

    /// POSTs a body with these headers, `NAME:VALUE`.
    pub fn post(&self, path: &str, headers: &[&str], body: &[u8]) -> Answer {
        request("POST", &self.url(path), headers, body)
    }

    /// What it counts.
    pub fn counts(&self) -> Value {
        let answer = request("GET", &self.url("/counts"), &[], b"");
        assert_eq!(answer.status, 200, "{answer:?}");
        serde_json::from_str(&answer.body).expect("JSON")
    }
}

/// Sends a request by urllib3.
pub fn request(method: &str, url: &str, headers: &[&str], body: &[u8]) -> Answer {
    let mut command = python("python");
    command.arg(file("peers/send.py")).args(["one", method, url]);
    for header in headers {
        command.args(["--header", header]);
    }
    exchange(command, body)
}

/// Sends a request by urllib3 that trusts this authority alone.
pub fn request_trusting(root: &str, method: &str, url: &str, body: &[u8]) -> Answer {
    let mut command = python("python");
    command.arg(file("peers/send.py")).args(["one", method, url, "--ca", root]);
    exchange(command, body)
}

fn exchange(mut command: std::process::Command, body: &[u8]) -> Answer {
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = Running::start("send.py", &mut command);
    let stdout = collect(running.child().stdout.take().expect("a pipe"));
    // It may end before it has read all.
    let _ = running.child().stdin.take().expect("a pipe").write_all(body);
    assert!(running.wait(PATIENCE).success(), "send.py failed");
    let answer: Value = serde_json::from_slice(&stdout.join().expect("it is read")).expect("JSON");
    Answer {
        status: answer["status"].as_u64().expect("a number"),
        headers: answer["headers"].clone(),
        body: answer["body"].as_str().expect("a string").to_owned(),
    }
}

impl Load {
    /// Clients that send, and write the number of each event that was acknowledged to the journal.
    pub fn start(url: &str, journal: &Path, options: &[&str]) -> Self {
        let mut command = python("python");
        command.arg(file("peers/send.py")).args(["load", url]).arg("--journal").arg(journal).args(options);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut running = Running::start("send.py", &mut command);
        let stdout = collect(running.child().stdout.take().expect("a pipe"));
        Self { running, stdout }
    }

    /// Waits for the last of them: how often each status came, and how many requests had no answer.
    pub fn finish(mut self) -> Value {
        assert!(self.running.wait(PATIENCE * 2).success(), "send.py failed");
        serde_json::from_slice(&self.stdout.join().expect("it is read")).expect("JSON")
    }
}

/// The numbers of the events that were acknowledged.
pub fn acknowledged(journal: &Path) -> Vec<u64> {
    let text = std::fs::read_to_string(journal).expect("the journal");
    text.lines().map(|line| line.parse().expect("a number")).collect()
}

/// Has OpenTelemetry's SDK send records; what it says became of each export.
pub fn otlp(url: &str, options: &[&str]) -> Vec<String> {
    let mut command = python("python");
    command.arg(file("peers/otlp.py")).arg(url).args(options);
    let said = must("otlp.py", &mut command, PATIENCE);
    serde_json::from_slice(&said).expect("JSON")
}
