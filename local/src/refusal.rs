//! What the service says when it refuses a call: code, HTTP status, words, in the service's own shape.

use serde::Serialize;

/// A refused call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    pub code: &'static str,
    pub message: Option<String>,
    /// `expectedSequenceToken` of the two errors that carry one.
    pub expected_token: Option<&'static str>,
}

impl Refusal {
    /// A refusal with HTTP status 400, which nearly all have.
    pub fn new(code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal { status: 400, code, message: Some(message.into()), expected_token: None }
    }

    pub fn with_status(self, status: u16) -> Refusal {
        Refusal { status, ..self }
    }

    pub fn invalid(message: impl Into<String>) -> Refusal {
        Refusal::new("InvalidParameterException", message)
    }

    pub fn no_group() -> Refusal {
        Refusal::new("ResourceNotFoundException", "The specified log group does not exist.")
    }

    pub fn no_stream() -> Refusal {
        Refusal::new("ResourceNotFoundException", "The specified log stream does not exist.")
    }

    pub fn serialization(message: impl Into<String>) -> Refusal {
        Refusal::new("SerializationException", message)
    }

    pub fn unknown_operation() -> Refusal {
        Refusal { status: 400, code: "UnknownOperationException", message: None, expected_token: None }
    }

    pub fn internal() -> Refusal {
        Refusal { status: 500, code: "InternalFailure", message: None, expected_token: None }
    }

    pub fn too_large() -> Refusal {
        Refusal::new("RequestEntityTooLarge", "Request body is too large.").with_status(413)
    }

    /// The JSON body.
    pub fn body(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Body<'a> {
            #[serde(rename = "__type")]
            code: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            message: Option<&'a str>,
            #[serde(rename = "expectedSequenceToken", skip_serializing_if = "Option::is_none")]
            expected_token: Option<&'a str>,
        }
        serde_json::to_vec(&Body {
            code: self.code,
            message: self.message.as_deref(),
            expected_token: self.expected_token,
        })
        .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_looks_like_the_service_s() {
        assert_eq!(
            String::from_utf8(Refusal::no_group().body()).unwrap(),
            r#"{"__type":"ResourceNotFoundException","message":"The specified log group does not exist."}"#
        );
        assert_eq!(
            String::from_utf8(Refusal::unknown_operation().body()).unwrap(),
            r#"{"__type":"UnknownOperationException"}"#
        );
    }
}
