//! Drives the core's machine by what Envoy offers: lines in, HTTP calls out, ticks for the time.
//!
//! One for each plugin in each worker; they share nothing. A request that ends only adds its line. What is
//! to be sent leaves at a tick, which comes ten times a second, or when an answer has come: so no request
//! waits for a log.

use std::collections::BTreeMap;
use std::time::Duration;

use cloudspout::batch::SourceId;
use cloudspout::delivery::Answer;
use cloudspout::lines::Framing;
use cloudspout::naming::Container;
use cloudspout::settings::Settings;
use cloudspout::shipper::{
    Counts, CredentialsError, Opening, Output, Phase, Positions, Request, RequestId, Severity, Shipper,
};
use cloudspout::time::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::answer::{answer_of, status_of};
use crate::configuration::Configuration;
use crate::credentials::{CredentialsEndpoint, Source, of_answer, of_environment};
use crate::line::Attributes;
use crate::stats::STATS;

/// What Envoy offers.
pub trait Envoy: Attributes {
    fn now(&self) -> Timestamp;

    /// Begins an HTTP call; its number comes back with the answer.
    ///
    /// # Errors
    /// It cannot be made; for people.
    fn call(&self, call: &HttpCall<'_>) -> Result<CallId, String>;

    fn tell(&self, severity: Severity, text: &str);

    /// Adds to a statistic, by its place in [`STATS`].
    fn add(&self, stat: usize, change: i64);
}

/// An HTTP call by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallId(pub u32);

/// A call to a cluster.
#[derive(Debug)]
pub struct HttpCall<'a> {
    pub cluster: &'a str,
    /// Those that begin with a colon first.
    pub headers: Vec<(&'a str, &'a str)>,
    pub body: Option<&'a [u8]>,
    pub timeout: Duration,
}

/// Ships the lines of one plugin of one worker.
pub struct Logger<E> {
    envoy: E,
    configuration: Configuration,
    shipper: Shipper,
    calls: BTreeMap<CallId, Call>,
    /// What Envoy's statistics have been told.
    counted: Counts,
    /// Room for a line.
    line: Vec<u8>,
    stage: Stage,
}

/// What a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Request(RequestId),
    Credentials,
}

/// Whether it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Logging,
    /// Envoy is through with it, and waits for what is not accepted.
    Draining,
    Drained,
}

/// How often Envoy is to call.
pub const TICK: Duration = Duration::from_millis(100);
/// The only source there is.
const REQUESTS: SourceId = SourceId(1);

impl<E: Envoy> Logger<E> {
    pub fn new(envoy: E, configuration: Configuration, settings: Settings) -> Logger<E> {
        let mut shipper = Shipper::new(settings, Box::new(|body| Sha256::digest(body).into()));
        let opening = Opening {
            framing: Framing::Lines,
            start: 0,
            taken: Positions::default(),
            lost: None,
            terminal: false,
            container: Container { name: "envoy".to_owned(), ..Container::default() },
        };
        shipper.handle_opened(REQUESTS, opening);
        Logger {
            envoy,
            configuration,
            shipper,
            calls: BTreeMap::new(),
            counted: Counts::default(),
            line: Vec::new(),
            stage: Stage::Logging,
        }
    }

    /// Logs the request at hand. Nothing is sent.
    pub fn log(&mut self) {
        self.line.clear();
        self.configuration.line.write(&self.envoy, &mut self.line);
        self.shipper.handle_line(REQUESTS, &self.line, self.envoy.now());
    }

    /// Does what there is to do.
    pub fn tick(&mut self) {
        self.work();
    }

    /// A call was answered. `header` finds a header of the answer by its name, in small letters.
    pub fn answered(&mut self, id: CallId, header: impl Fn(&str) -> Option<String>, body: Vec<u8>) {
        let now = self.envoy.now();
        match self.calls.remove(&id) {
            Some(Call::Request(request)) => {
                self.shipper.handle_answer(request, &answer_of(header, body), now);
            }
            Some(Call::Credentials) => {
                self.shipper.handle_credentials(of_answer(status_of(header), &body), now);
            }
            None => {}
        }
        self.work();
    }

    /// Envoy is through with the plugin: what is not accepted is sent before it goes. Whether it may go at
    /// once.
    pub fn drain(&mut self) -> bool {
        if self.stage == Stage::Logging {
            self.stage = Stage::Draining;
            let now = self.envoy.now();
            let by = now + self.configuration.drain_timeout;
            self.shipper.handle_phase(Phase::Stopping { by }, now);
            self.work();
        }
        self.is_drained()
    }

    /// Whether Envoy is through with it.
    pub fn is_draining(&self) -> bool {
        self.stage == Stage::Draining
    }

    /// Whether nothing more will come of it.
    pub fn is_drained(&self) -> bool {
        self.stage == Stage::Drained
    }

    /// Does what the machine asks, until it has to wait.
    fn work(&mut self) {
        let now = self.envoy.now();
        loop {
            match self.shipper.poll_output(now) {
                Output::Send(request) => self.send(&request, now),
                Output::FetchCredentials { renew: _ } => self.fetch_credentials(now),
                Output::Tell(severity, text) => self.envoy.tell(severity, &in_our_words(text)),
                Output::Wait(_) => break,
                Output::Done(result) => {
                    if let Err(failure) = result
                        && self.stage != Stage::Drained
                    {
                        self.envoy.tell(Severity::Error, &failure.to_string());
                    }
                    self.stage = Stage::Drained;
                    break;
                }
                // Requests are no log that could be read again.
                Output::Read { .. }
                | Output::Resume { .. }
                | Output::Acknowledge { .. }
                | Output::Refused { .. }
                | Output::Settle { .. }
                | Output::Release(_)
                | Output::Keep { .. } => {}
            }
        }
        self.count();
    }

    fn send(&mut self, request: &Request, now: Timestamp) {
        let Configuration { cluster, endpoint, request_timeout, .. } = &self.configuration;
        let mut headers = head("POST", endpoint.authority(), endpoint.path());
        headers.extend(request.headers.iter().map(|(name, value)| (*name, value.as_str())));
        let body = Some(request.body.bytes());
        match self.envoy.call(&HttpCall { cluster, headers, body, timeout: *request_timeout }) {
            Ok(id) => {
                self.calls.insert(id, Call::Request(request.id));
            }
            Err(why) => self.shipper.handle_answer(request.id, &Answer::NotSent(why), now),
        }
    }

    fn fetch_credentials(&mut self, now: Timestamp) {
        let found = match &self.configuration.credentials {
            Some(Source::Environment(environment)) => of_environment(environment),
            Some(Source::Endpoint(endpoint)) => match self.ask(endpoint) {
                Ok(id) => {
                    self.calls.insert(id, Call::Credentials);
                    return;
                }
                Err(why) => Err(CredentialsError::Unavailable(why)),
            },
            None => Err(CredentialsError::Missing("Envoy signs".to_owned())),
        };
        self.shipper.handle_credentials(found, now);
    }

    fn ask(&self, endpoint: &CredentialsEndpoint) -> Result<CallId, String> {
        let CredentialsEndpoint { cluster, authority, path, authorization } = endpoint;
        let mut headers = head("GET", authority, path);
        headers.push(("accept", "application/json"));
        headers.extend(authorization.as_deref().map(|authorization| ("authorization", authorization)));
        let timeout = self.configuration.request_timeout;
        self.envoy.call(&HttpCall { cluster, headers, body: None, timeout })
    }

    /// Brings Envoy's statistics up to date.
    fn count(&mut self) {
        let counts = *self.shipper.counts();
        if counts == self.counted {
            return;
        }
        for (at, stat) in STATS.iter().enumerate() {
            let change = stat.change(&self.counted, &counts);
            if change != 0 {
                self.envoy.add(at, change);
            }
        }
        self.counted = counts;
    }
}

/// The core names options as the command line does; here they are fields.
const FIELDS: [(&str, &str); 4] = [
    ("--endpoint-url", "`endpoint`"),
    ("--region", "`region`"),
    ("--create-stream", "`create_stream`"),
    ("--create-group", "`create_group`"),
];

fn in_our_words(text: String) -> String {
    FIELDS.iter().fold(text, |text, (option, field)| match text.contains(option) {
        true => text.replace(option, field),
        false => text,
    })
}

/// What a request begins with.
fn head<'a>(method: &'a str, authority: &'a str, path: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![(":method", method), (":path", path), (":authority", authority)]
}

#[cfg(test)]
mod tests;
