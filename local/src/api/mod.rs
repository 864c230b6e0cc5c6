//! The operations of CloudWatch Logs, each from its JSON to its JSON.
//!
//! What is checked here is what the service's model and its error messages say; what each operation does to the
//! store is a few lines beside its checks.

mod arn;
mod check;
mod entity;
mod filter;
mod groups;
pub mod limits;
mod pattern;
mod put;
mod read;
mod streams;
mod tags;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::print::PrintMode;
use crate::refusal::Refusal;
use crate::store::{Store, StoreError};
pub use put::{Accepted, PutFaults};

/// The operations that the endpoint knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    CreateLogGroup,
    CreateLogStream,
    DeleteLogGroup,
    DeleteLogStream,
    DeleteRetentionPolicy,
    DescribeLogGroups,
    DescribeLogStreams,
    FilterLogEvents,
    GetLogEvents,
    ListTagsForResource,
    ListTagsLogGroup,
    PutLogEvents,
    PutRetentionPolicy,
    TagLogGroup,
    TagResource,
    UntagLogGroup,
    UntagResource,
}

/// What an operation may use besides its input.
pub struct Context<'a> {
    pub store: &'a Store,
    pub now: Timestamp,
    pub region: &'a str,
    pub account: &'a str,
    pub put_faults: &'a PutFaults,
    pub print: PrintMode,
}

/// What a call came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Empty for operations without output, as the service answers them.
    pub body: Vec<u8>,
    /// What PutLogEvents took and left.
    pub accepted: Option<Accepted>,
}

impl Operation {
    /// Reads the `X-Amz-Target` header.
    pub fn of_target(target: &str) -> Option<Operation> {
        Operation::of_name(target.strip_prefix("Logs_20140328.")?)
    }

    pub fn of_name(name: &str) -> Option<Operation> {
        ALL.iter().copied().find(|operation| operation.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Operation::CreateLogGroup => "CreateLogGroup",
            Operation::CreateLogStream => "CreateLogStream",
            Operation::DeleteLogGroup => "DeleteLogGroup",
            Operation::DeleteLogStream => "DeleteLogStream",
            Operation::DeleteRetentionPolicy => "DeleteRetentionPolicy",
            Operation::DescribeLogGroups => "DescribeLogGroups",
            Operation::DescribeLogStreams => "DescribeLogStreams",
            Operation::FilterLogEvents => "FilterLogEvents",
            Operation::GetLogEvents => "GetLogEvents",
            Operation::ListTagsForResource => "ListTagsForResource",
            Operation::ListTagsLogGroup => "ListTagsLogGroup",
            Operation::PutLogEvents => "PutLogEvents",
            Operation::PutRetentionPolicy => "PutRetentionPolicy",
            Operation::TagLogGroup => "TagLogGroup",
            Operation::TagResource => "TagResource",
            Operation::UntagLogGroup => "UntagLogGroup",
            Operation::UntagResource => "UntagResource",
        }
    }

    /// Carries out one call.
    pub fn perform(self, body: &[u8], context: &Context<'_>) -> Result<Outcome, Refusal> {
        match self {
            Operation::CreateLogGroup => groups::create(&input(body)?, context),
            Operation::CreateLogStream => streams::create(&input(body)?, context),
            Operation::DeleteLogGroup => groups::delete(&input(body)?, context),
            Operation::DeleteLogStream => streams::delete(&input(body)?, context),
            Operation::DeleteRetentionPolicy => groups::delete_retention(&input(body)?, context),
            Operation::DescribeLogGroups => groups::describe(&input(body)?, context),
            Operation::DescribeLogStreams => streams::describe(&input(body)?, context),
            Operation::FilterLogEvents => filter::filter(&input(body)?, context),
            Operation::GetLogEvents => read::get(&input(body)?, context),
            Operation::ListTagsForResource => tags::list(&input(body)?, context),
            Operation::ListTagsLogGroup => tags::list_of_group(&input(body)?, context),
            Operation::PutLogEvents => put::put(body, context),
            Operation::PutRetentionPolicy => groups::put_retention(&input(body)?, context),
            Operation::TagLogGroup => tags::tag_group(&input(body)?, context),
            Operation::TagResource => tags::tag(&input(body)?, context),
            Operation::UntagLogGroup => tags::untag_group(&input(body)?, context),
            Operation::UntagResource => tags::untag(&input(body)?, context),
        }
    }
}

impl Outcome {
    fn empty() -> Result<Outcome, Refusal> {
        Ok(Outcome::default())
    }

    fn json(output: &impl Serialize) -> Result<Outcome, Refusal> {
        let body = serde_json::to_vec(output).map_err(|_| Refusal::internal())?;
        Ok(Outcome { body, accepted: None })
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Refusal {
        match error {
            StoreError::NoGroup => Refusal::no_group(),
            StoreError::NoStream => Refusal::no_stream(),
            StoreError::GroupExists => {
                Refusal::new("ResourceAlreadyExistsException", "The specified log group already exists")
            }
            StoreError::StreamExists => {
                Refusal::new("ResourceAlreadyExistsException", "The specified log stream already exists")
            }
            StoreError::Disk(error) => {
                tracing::error!(error, "the store failed");
                Refusal::internal()
            }
        }
    }
}

/// The names that tell which group and stream a call is about, for faults that are limited to some.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Subject {
    pub log_group_name: Option<String>,
    pub log_stream_name: Option<String>,
}

impl Subject {
    /// Reads the names; a body that is no JSON has none.
    pub fn of(body: &[u8]) -> Subject {
        serde_json::from_slice(body).unwrap_or_default()
    }
}

fn input<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    parsed(serde_json::from_slice(body))
}

/// The service's words for JSON that it cannot read are seldom of use; the parser's are.
fn parsed<T>(result: Result<T, serde_json::Error>) -> Result<T, Refusal> {
    result.map_err(|error| Refusal::serialization(error.to_string()))
}

const ALL: [Operation; 17] = [
    Operation::CreateLogGroup,
    Operation::CreateLogStream,
    Operation::DeleteLogGroup,
    Operation::DeleteLogStream,
    Operation::DeleteRetentionPolicy,
    Operation::DescribeLogGroups,
    Operation::DescribeLogStreams,
    Operation::FilterLogEvents,
    Operation::GetLogEvents,
    Operation::ListTagsForResource,
    Operation::ListTagsLogGroup,
    Operation::PutLogEvents,
    Operation::PutRetentionPolicy,
    Operation::TagLogGroup,
    Operation::TagResource,
    Operation::UntagLogGroup,
    Operation::UntagResource,
];

#[cfg(test)]
mod tests;
