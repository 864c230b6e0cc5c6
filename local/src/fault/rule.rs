//! One rule: a kind of trouble and the requests it is meant for.

use std::time::Duration;

use super::ordeal::{After, Before, Page};
use crate::api::{Operation, Subject};
use crate::refusal::Refusal;
use crate::sigv4;

#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// As it was written.
    pub text: String,
    pub fault: Fault,
    pub limits: Limits,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    Refuse(Refusal),
    Page(Page),
    Before(Before),
    After(After),
    Slow(Duration),
    Skew(i64),
    Poison(String),
    TooOld(usize),
    Expired(usize),
    TooNew(usize),
}

/// Which requests a rule is meant for; the default is all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Limits {
    pub operation: Option<Operation>,
    /// Beginnings of names.
    pub group: Option<String>,
    pub stream: Option<String>,
    pub chance: Option<f64>,
    pub next: Option<u64>,
    /// Fitting requests to let pass first.
    pub skip: u64,
    pub from: Duration,
    pub until: Option<Duration>,
    pub retry_after: Option<u64>,
}

impl Limits {
    pub fn needs_subject(&self) -> bool {
        self.group.is_some() || self.stream.is_some()
    }

    pub fn fit(&self, operation: Option<Operation>, subject: &Subject, elapsed: Duration) -> bool {
        let begins = |prefix: &Option<String>, name: &Option<String>| match (prefix, name) {
            (None, _) => true,
            (Some(prefix), Some(name)) => name.starts_with(prefix.as_str()),
            (Some(_), None) => false,
        };
        self.operation.is_none_or(|wanted| operation == Some(wanted))
            && begins(&self.group, &subject.log_group_name)
            && begins(&self.stream, &subject.log_stream_name)
            && elapsed >= self.from
            && self.until.is_none_or(|until| elapsed < until)
    }
}

/// How the word after the colon is read.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A count or a chance, or nothing for always.
    Plain(fn() -> Fault),
    /// Like `Plain`, and meant for PutLogEvents unless `op=` says otherwise.
    Put(fn() -> Fault),
    /// A duration like `200ms`.
    Timed(fn(Duration) -> Fault),
    /// A duration with a sign.
    Shifted(fn(i64) -> Fault),
    /// A text to look for in messages.
    Text(fn(String) -> Fault),
    /// A number of events of a batch.
    Events(fn(usize) -> Fault),
}

/// Every fault, by the name it has in a plan.
pub const KINDS: &[(&str, Kind)] = &[
    ("throttle", Kind::Plain(|| refuse("ThrottlingException", "Rate exceeded"))),
    ("500", Kind::Plain(|| Fault::Refuse(Refusal::internal()))),
    ("502", Kind::Plain(|| gateway(502, "<html><body><h1>502 Bad Gateway</h1></body></html>"))),
    (
        "503",
        Kind::Plain(|| {
            gateway(503, "<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>")
        }),
    ),
    ("504", Kind::Plain(|| gateway(504, "<html><body><h1>504 Gateway Time-out</h1></body></html>"))),
    ("413", Kind::Plain(|| Fault::Refuse(Refusal::too_large()))),
    ("unavailable", Kind::Plain(unavailable)),
    (
        "timeout",
        Kind::Plain(|| {
            refuse(
                "RequestTimeoutException",
                "Your socket connection to the server was not read from or written to within the timeout period.",
            )
        }),
    ),
    (
        "aborted",
        Kind::Plain(|| {
            refuse(
                "OperationAbortedException",
                "A conflicting operation is currently in progress against this resource. Please try again.",
            )
        }),
    ),
    ("limit-exceeded", Kind::Plain(|| refuse("LimitExceededException", "Resource limit exceeded."))),
    ("denied", Kind::Plain(denied)),
    ("expired-token", Kind::Plain(|| Fault::Refuse(sigv4::expired_token()))),
    (
        "unknown-key",
        Kind::Plain(|| {
            refuse("UnrecognizedClientException", "The security token included in the request is invalid.")
        }),
    ),
    ("bad-signature", Kind::Plain(|| Fault::Refuse(sigv4::mismatch()))),
    ("missing-group", Kind::Put(|| Fault::Refuse(Refusal::no_group()))),
    ("missing-stream", Kind::Put(|| Fault::Refuse(Refusal::no_stream()))),
    ("already-accepted", Kind::Put(already_accepted)),
    ("bad-sequence", Kind::Put(bad_sequence)),
    ("not-cloudwatch", Kind::Plain(not_cloudwatch)),
    ("garbage", Kind::Plain(garbage)),
    ("redirect", Kind::Plain(redirect)),
    ("reset-before", Kind::Plain(|| Fault::Before(Before::Reset))),
    ("reset-after", Kind::Plain(|| Fault::After(After::Reset))),
    ("half", Kind::Plain(|| Fault::After(After::Half))),
    ("hang", Kind::Plain(|| Fault::Before(Before::Hang))),
    ("hang-after", Kind::Plain(|| Fault::After(After::Hang))),
    ("slow", Kind::Timed(Fault::Slow)),
    ("late", Kind::Timed(|delay| Fault::After(After::Late(delay)))),
    ("skew", Kind::Shifted(Fault::Skew)),
    ("invalid", Kind::Text(Fault::Poison)),
    ("reject-too-old", Kind::Events(Fault::TooOld)),
    ("reject-expired", Kind::Events(Fault::Expired)),
    ("reject-too-new", Kind::Events(Fault::TooNew)),
];

fn refuse(code: &'static str, message: &str) -> Fault {
    Fault::Refuse(Refusal::new(code, message))
}

fn unavailable() -> Fault {
    let refusal = Refusal::new("ServiceUnavailableException", "The service cannot complete the request.");
    Fault::Refuse(refusal.with_status(500))
}

fn denied() -> Fault {
    refuse(
        "AccessDeniedException",
        "User: arn:aws:iam::000000000000:user/local is not authorized to perform this action because no identity-based policy allows it",
    )
}

fn already_accepted() -> Fault {
    Fault::Refuse(Refusal {
        expected_token: Some(EXPECTED_TOKEN),
        ..Refusal::new(
            "DataAlreadyAcceptedException",
            format!(
                "The given batch of log events has already been accepted. The next batch can be sent with sequenceToken: {EXPECTED_TOKEN}"
            ),
        )
    })
}

fn bad_sequence() -> Fault {
    Fault::Refuse(Refusal {
        expected_token: Some(EXPECTED_TOKEN),
        ..Refusal::new(
            "InvalidSequenceTokenException",
            format!(
                "The given sequenceToken is invalid. The next expected sequenceToken is: {EXPECTED_TOKEN}"
            ),
        )
    })
}

fn gateway(status: u16, body: &'static str) -> Fault {
    Fault::Page(Page { status, content_type: "text/html", body, location: None })
}

fn not_cloudwatch() -> Fault {
    gateway(200, "<html><body><h1>Sign in to use this network</h1></body></html>")
}

fn garbage() -> Fault {
    Fault::Page(Page {
        status: 200,
        content_type: "application/x-amz-json-1.1",
        body: "{\"nextSequenceToken\":\"4965",
        location: None,
    })
}

fn redirect() -> Fault {
    Fault::Page(Page {
        status: 307,
        content_type: "text/html",
        body: "",
        // Port 9 discards; whoever follows the redirect with credentials gets nowhere.
        location: Some("http://127.0.0.1:9/"),
    })
}

const EXPECTED_TOKEN: &str = "49650000000000000000000000000000000000000000000000000001";
