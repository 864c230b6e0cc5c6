//! The codes a program of ours ends with. The `cloudspout` program includes this file.

/// How it ended, as scripts see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    Accepted = 0,
    Other = 1,
    Usage = 2,
    Settings = 3,
    Docker = 4,
    Credentials = 5,
    Denied = 6,
    Endpoint = 7,
    Rejected = 8,
    Unfinished = 9,
    Filter = 10,
}

/// What each means, for people.
const MEANINGS: [(Code, &str); 11] = [
    (Code::Accepted, "everything read was accepted"),
    (Code::Other, "something else went wrong"),
    (Code::Usage, "the command line is wrong"),
    (Code::Settings, "a setting cannot be used: region, endpoint, template, state directory"),
    (Code::Docker, "Docker cannot be reached"),
    (Code::Credentials, "credentials are missing or refused"),
    (Code::Denied, "CloudWatch does not permit it"),
    (Code::Endpoint, "the endpoint cannot be reached, or is not CloudWatch Logs"),
    (
        Code::Rejected,
        "everything was sent, but CloudWatch refused some events for good, or some were dropped",
    ),
    (Code::Unfinished, "ended with events read and not delivered"),
    (Code::Filter, "the filter failed, and nothing goes on without it"),
];

impl Code {
    /// All of them, a line each, as `--help` ends.
    pub fn listed() -> String {
        let lines = MEANINGS.map(|(code, meaning)| format!("  {}  {meaning}", code as u8));
        format!("Exit codes:\n{}", lines.join("\n"))
    }
}
