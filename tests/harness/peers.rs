//! Other people's programs: moto as an endpoint, boto3 and the AWS command line as readers; and `cloudspout local`.

use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::events::{Event, Streams};
use crate::load;
use crate::process::{Running, eventually, file, must, python};
use crate::program::{KEY_ID, PATIENCE, Program, REGION, SECRET, Shipping};
use crate::strict::first_line;

/// moto's server.
pub struct Moto {
    _running: Running,
    port: u16,
}

impl Moto {
    pub fn start() -> Self {
        let port = free_port();
        let mut command = python("moto_server");
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let running = Running::start("moto", &mut command);
        wait_for_port("moto", port);
        Self { _running: running, port }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// The program's own endpoint.
pub struct Local {
    shipping: Shipping,
    data: TempDir,
    port: u16,
}

impl Local {
    /// An endpoint that takes the tests' keys, with options besides.
    pub fn start(options: &[&str]) -> Self {
        Self::on(tempfile::tempdir().expect("a temporary folder"), options)
    }

    fn on(data: TempDir, options: &[&str]) -> Self {
        let port = free_port();
        let shipping = Program::bare("local")
            .env("CLOUDSPOUT_LOCAL_KEY_ID", KEY_ID)
            .env("CLOUDSPOUT_LOCAL_SECRET", SECRET)
            .args(&[
                "--listen",
                &format!("127.0.0.1:{port}"),
                "--data-dir",
                data.path().to_str().expect("UTF-8"),
            ])
            .args(options)
            .start();
        wait_for_port("cloudspout local", port);
        Self { shipping, data, port }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Replaces its plan of faults; an empty one ends them.
    pub fn plan(&self, plan: &str) {
        let length = plan.len();
        let request = match plan {
            "" => "DELETE /_local/faults HTTP/1.1\r\nhost: local\r\n\r\n".to_owned(),
            plan => format!(
                "POST /_local/faults HTTP/1.1\r\nhost: local\r\ncontent-length: {length}\r\n\r\n{plan}"
            ),
        };
        let answer = load::exchange(self.port, &request);
        assert!(answer.as_ref().is_some_and(|(status, _)| *status < 300), "{plan}: {answer:?}");
    }

    /// What it has counted.
    pub fn stats(&self) -> Value {
        let (_, stats) = load::get(self.port, "/_local/stats").expect("cloudspout local answers");
        serde_json::from_str(&stats).expect("JSON")
    }

    /// Ends it and starts it again on the same data.
    pub fn restart(self, options: &[&str]) -> Self {
        self.shipping.terminate().assert_code(0);
        Self::on(self.data, options)
    }
}

/// A proxy that writes down what it was asked for.
pub struct Proxy {
    _running: Running,
    folder: TempDir,
    port: u16,
}

impl Proxy {
    /// A proxy that connects to this address, whatever it is asked for.
    pub fn start(upstream: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut command = python("python");
        command.arg(file("peers/proxy.py")).args(["--upstream", upstream]);
        command
            .arg("--journal")
            .arg(folder.path().join("journal"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut running = Running::start("the proxy", &mut command);
        let port = first_line(&mut running).parse().expect("the proxy prints its port");
        Self { _running: running, folder, port }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// `METHOD TARGET` of every request.
    pub fn requests(&self) -> Vec<String> {
        let journal = std::fs::read_to_string(self.folder.path().join("journal")).expect("the journal");
        journal.lines().map(str::to_owned).collect()
    }
}

/// How boto3 reads.
#[derive(Clone, Copy)]
pub enum Reader {
    GetLogEvents,
    FilterLogEvents,
}

/// Everything that boto3 reads of a log group.
pub fn read_back(url: &str, group: &str, reader: Reader) -> Streams {
    let mut command = python("python");
    command.arg(file("peers/read_back.py")).args([
        "--endpoint-url",
        url,
        "--group",
        group,
        "--region",
        REGION,
    ]);
    command.arg(match reader {
        Reader::GetLogEvents => "--way=get",
        Reader::FilterLogEvents => "--way=filter",
    });
    command.env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", SECRET);
    let mut streams = Streams::new();
    for line in String::from_utf8(must("boto3", &mut command, PATIENCE)).expect("UTF-8").lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let text = |at: usize| line[at].as_str().expect("a string").to_owned();
        let event = Event { time: line[1].as_i64().expect("a time"), message: text(2) };
        streams.entry(text(0)).or_default().push(event);
    }
    streams
}

/// All log groups, as boto3 describes them.
pub fn described(url: &str) -> Value {
    let mut command = python("python");
    command.arg(file("peers/describe.py")).args(["--endpoint-url", url, "--region", REGION]);
    command.env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", SECRET);
    serde_json::from_slice(&must("boto3", &mut command, PATIENCE)).expect("JSON")
}

/// The AWS command line, version 2, as Debian has it.
pub fn aws(url: &str, arguments: &[&str]) -> Vec<u8> {
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut command = Command::new("/usr/bin/aws");
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", home.path()).env("LC_ALL", "C.UTF-8");
    command.env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", SECRET).env("AWS_PAGER", "");
    command.args(["--region", REGION, "--endpoint-url", url]).args(arguments);
    must("aws", &mut command, PATIENCE)
}

/// A port that nobody listens on at the moment.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

fn wait_for_port(what: &str, port: u16) {
    let what = format!("{what} listening on port {port}");
    eventually(&what, Duration::from_secs(60), || TcpStream::connect(("127.0.0.1", port)).ok());
}
