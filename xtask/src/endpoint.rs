//! `cloudspout local --discard`, for programs to send to.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::child::{Background, until};

/// An endpoint on this machine; it ends when this is dropped.
pub struct Endpoint {
    pub url: String,
    _process: Option<Background>,
}

/// Environment variables that make a program send to an endpoint.
pub const CREDENTIALS: [(&str, &str); 3] = [
    ("AWS_REGION", "eu-central-1"),
    ("AWS_ACCESS_KEY_ID", "AKIDLOCAL"),
    ("AWS_SECRET_ACCESS_KEY", "local-secret"),
];

impl Endpoint {
    /// One that somebody else runs.
    pub fn at(url: String) -> Endpoint {
        Endpoint { url, _process: None }
    }

    /// # Errors
    /// It cannot be started.
    pub fn start(program: &Path, scratch: &Path) -> Result<Endpoint, String> {
        let said = scratch.join("endpoint.log");
        let log = File::create(&said).map_err(|error| format!("{}: {error}", said.display()))?;
        let mut local = Command::new(program);
        local.args(["local", "--listen", "127.0.0.1:0", "--discard"]);
        local.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let process = Background(local.spawn().map_err(|error| format!("{}: {error}", program.display()))?);
        let url = until("the endpoint", || {
            let text = fs::read_to_string(&said).ok()?;
            let begin = text.find("http://")?;
            let address = text.get(begin + "http://".len()..)?;
            let end = address.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ':')?;
            Some(format!("http://{}", address.get(..end)?))
        })?;
        Ok(Endpoint { url, _process: Some(process) })
    }
}
