//! What the service is asked to do.

use crate::lines::{Rest, Text};

/// An action of the API that Cloudspout uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    PutLogEvents,
    CreateLogStream,
    CreateLogGroup,
    PutRetentionPolicy,
}

impl Operation {
    pub const ALL: [Operation; 4] = [
        Operation::PutLogEvents,
        Operation::CreateLogStream,
        Operation::CreateLogGroup,
        Operation::PutRetentionPolicy,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Operation::PutLogEvents => "PutLogEvents",
            Operation::CreateLogStream => "CreateLogStream",
            Operation::CreateLogGroup => "CreateLogGroup",
            Operation::PutRetentionPolicy => "PutRetentionPolicy",
        }
    }

    /// The headers of a request that do not depend on its body or on who signs it.
    pub fn headers(self) -> Vec<(&'static str, String)> {
        vec![
            ("content-type", "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target", format!("Logs_20140328.{}", self.name())),
        ]
    }
}

/// The body of a request that makes a log stream.
pub fn stream_body(group: &str, stream: &str) -> Vec<u8> {
    let mut body = b"{\"logGroupName\":".to_vec();
    write_string(group, &mut body);
    body.extend_from_slice(b",\"logStreamName\":");
    write_string(stream, &mut body);
    body.push(b'}');
    body
}

/// Writes a JSON string.
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    Text::Raw(text.as_bytes()).append_to(out, usize::MAX, Rest::None);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_named_with_its_group() {
        assert_eq!(stream_body("a/\"b", "s"), br#"{"logGroupName":"a/\"b","logStreamName":"s"}"#);
    }
}
