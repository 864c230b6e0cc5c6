//! The operations of CloudWatch Logs, each from its JSON to its JSON.
//!
//! What is checked here is what the service's model and its error messages say; what each operation does to the
//! store is a few lines beside its checks.

mod arn;
mod call;
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

use serde::Deserialize;

use crate::refusal::Refusal;
use call::input;
pub use call::{Accepted, Context, Outcome, PutFaults};

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
