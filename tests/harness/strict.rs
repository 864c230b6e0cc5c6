//! The strict endpoint (`tests/endpoint`): refuses what the service would refuse, and remembers all that arrived.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::events::{Event, Streams};
use crate::process::{Running, file, python};
use crate::program::{KEY_ID, REGION, SECRET, TEMPORARY_KEY_ID, TEMPORARY_SECRET, TEMPORARY_TOKEN};

/// A strict endpoint that is listening.
pub struct Strict {
    running: Running,
    folder: TempDir,
    port: u16,
    scheme: &'static str,
}

/// One request as the endpoint saw it.
#[derive(Debug)]
pub struct Request {
    pub operation: String,
    pub group: Option<String>,
    pub stream: Option<String>,
    pub fault: Option<String>,
    /// What the events are said to be.
    pub format: Option<String>,
    /// The service's error, if the endpoint found one, and its text.
    pub refusal: Option<(String, String)>,
    /// Stored, but the client was not told.
    pub ambiguous: bool,
    pub stored: Vec<Event>,
}

/// All requests, in order of arrival.
pub struct Journal(pub Vec<Request>);

impl Strict {
    /// An endpoint without faults.
    pub fn start() -> Self {
        Self::with_plan("")
    }

    /// An endpoint with a plan of faults, as `tests/endpoint/faults.py` describes it.
    pub fn with_plan(plan: &str) -> Self {
        Self::launch(plan, &[])
    }

    /// An endpoint that speaks TLS.
    pub fn with_tls(certificate: &Path) -> Self {
        let started = Self::launch("", &["--certificate", certificate.to_str().expect("UTF-8")]);
        Self { scheme: "https", ..started }
    }

    /// An endpoint that listens in a network namespace as well, on the same port.
    pub fn within(namespace: &Path) -> Self {
        Self::launch("", &["--namespace", namespace.to_str().expect("UTF-8")])
    }

    /// An endpoint that takes what is signed for a Region alone.
    pub fn of_region(region: &str) -> Self {
        Self::launch("", &["--region", region])
    }

    fn launch(plan: &str, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut command = python("python");
        command.arg(file("endpoint/strict.py")).arg("--journal").arg(folder.path().join("journal"));
        command.args(["--region", REGION, "--plan", plan]);
        command.args(["--key", &format!("{KEY_ID}:{SECRET}")]);
        command.args(["--key", &format!("{TEMPORARY_KEY_ID}:{TEMPORARY_SECRET}:{TEMPORARY_TOKEN}")]);
        command.args(options).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut running = Running::start("the strict endpoint", &mut command);
        let port = first_line(&mut running).parse().expect("the endpoint prints its port");
        Self { running, folder, port, scheme: "http" }
    }

    pub fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Replaces the plan of faults and counts anew.
    pub fn plan(&self, plan: &str) {
        exchange(self.port, "POST /judge/plan", plan);
    }

    /// Moves the endpoint's clock away from the true time.
    pub fn skew(&self, seconds: i64) {
        exchange(self.port, "POST /judge/skew", &seconds.to_string());
    }

    /// One of the counts `requests`, `refused`, `stored`, `put`; `connections` that brought requests; `busy`, the
    /// requests under way.
    pub fn count(&self, name: &str) -> u64 {
        let status: Value =
            serde_json::from_str(&exchange(self.port, "GET /judge/status", "")).expect("JSON");
        status[name].as_u64().unwrap_or_else(|| panic!("no count {name}"))
    }

    /// Waits until so many events are stored.
    pub fn wait_for_events(&self, events: usize, bound: Duration) {
        let stored = self.settle(events, bound);
        assert!(stored >= events, "{stored} events arrived of {events} within {bound:?}");
    }

    /// Waits until so many events are stored, or for so long; how many there are. For scenarios whose comparison
    /// tells more than a number.
    pub fn settle(&self, events: usize, bound: Duration) -> usize {
        let began = Instant::now();
        loop {
            let stored = self.count("stored") as usize;
            if stored >= events || began.elapsed() > bound {
                return stored;
            }
            sleep(Duration::from_millis(10));
        }
    }

    /// What has been asked so far.
    pub fn journal(&self) -> Journal {
        Journal::read(&self.folder.path().join("journal"))
    }

    /// Ends the endpoint: whoever connects from now on is refused.
    pub fn stop(mut self) -> Journal {
        let journal = self.journal();
        drop(self.running.child().stdin.take());
        self.running.wait(Duration::from_secs(10));
        journal
    }
}

impl Journal {
    fn read(path: &PathBuf) -> Self {
        let text = fs::read_to_string(path).expect("the journal");
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        Self(whole.lines().map(|line| request(serde_json::from_str(line).expect("JSON"))).collect())
    }

    /// The events of every log stream of a log group, in order of arrival.
    pub fn streams(&self, group: &str) -> Streams {
        let mut streams = Streams::new();
        for request in &self.0 {
            if let (Some(stream), true) = (&request.stream, request.group.as_deref() == Some(group)) {
                streams.entry(stream.clone()).or_default().extend(request.stored.iter().cloned());
            }
        }
        streams
    }

    /// The events of one log stream.
    pub fn stream(&self, group: &str, stream: &str) -> Vec<Event> {
        self.streams(group).remove(stream).unwrap_or_default()
    }

    /// How many events lie in requests that were stored without an answer.
    pub fn ambiguous_events(&self) -> usize {
        self.0.iter().filter(|request| request.ambiguous).map(|request| request.stored.len()).sum()
    }

    /// Panics if the endpoint refused anything but what was created already or was not created yet.
    pub fn assert_well_formed(&self) {
        for request in &self.0 {
            if let Some((code, text)) = &request.refusal {
                let usual = ["ResourceNotFoundException", "ResourceAlreadyExistsException"];
                assert!(usual.contains(&code.as_str()), "{}: {code}: {text}", request.operation);
            }
        }
    }

    /// How many requests of an operation there were.
    pub fn count(&self, operation: &str) -> usize {
        self.0.iter().filter(|request| request.operation == operation).count()
    }
}

fn request(line: Value) -> Request {
    let text = |name: &str| line[name].as_str().map(str::to_owned);
    let event = |event: &Value| Event {
        time: event[0].as_i64().expect("a time"),
        message: event[1].as_str().expect("a message").to_owned(),
    };
    Request {
        operation: text("operation").unwrap_or_default(),
        group: text("group"),
        stream: text("stream"),
        fault: text("fault"),
        format: text("format"),
        refusal: text("refusal").map(|code| (code, text("text").unwrap_or_default())),
        ambiguous: line["ambiguous"].as_bool().unwrap_or(false),
        stored: line["events"]
            .as_array()
            .map(|events| events.iter().map(event).collect())
            .unwrap_or_default(),
    }
}

/// The first line of what a process prints.
pub fn first_line(running: &mut Running) -> String {
    let stdout = running.child().stdout.as_mut().expect("a pipe");
    let mut line = String::new();
    BufReader::with_capacity(1, stdout).read_line(&mut line).expect("a line");
    line.trim().to_owned()
}

fn exchange(port: u16, request: &str, body: &str) -> String {
    // Behind TLS the counts are of no use: those scenarios read the journal.
    let mut connection = TcpStream::connect(("127.0.0.1", port)).expect("the strict endpoint listens");
    connection.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
    let head = format!(
        "{request} HTTP/1.1\r\nHost: judge\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(head.as_bytes()).expect("the strict endpoint reads");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("the strict endpoint answers");
    assert!(answer.starts_with("HTTP/1.1 200"), "{request}: {answer}");
    answer.split_once("\r\n\r\n").expect("a body").1.to_owned()
}
