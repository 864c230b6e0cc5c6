//! Reads what the service answers.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// Which events of a batch were not taken, as `rejectedLogEventsInfo` says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rejected {
    /// So many at the beginning are older than the service takes.
    pub too_old: usize,
    /// So many at the beginning are older than the log group's retention.
    pub expired: usize,
    /// So many at the end are too far ahead.
    pub too_new: usize,
}

impl Rejected {
    pub fn total(&self) -> usize {
        self.too_old + self.expired + self.too_new
    }
}

/// Why an answer with status 200 is not one of CloudWatch Logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerError {
    /// It is no JSON object.
    NotJson,
    /// It is an object of something else: nothing in it is what the service says.
    Foreign,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Accepted {
    next_sequence_token: Option<IgnoredAny>,
    rejected_log_events_info: Option<RejectedInfo>,
    rejected_entity_info: Option<IgnoredAny>,
    #[serde(flatten)]
    other: BTreeMap<String, IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RejectedInfo {
    too_new_log_event_start_index: Option<usize>,
    too_old_log_event_end_index: Option<usize>,
    expired_log_event_end_index: Option<usize>,
}

/// Reads the answer to a `PutLogEvents` of so many events that came with status 200.
///
/// The first index of what is too new is inclusive, the ends of what is too old or expired are exclusive.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_RejectedLogEventsInfo.html>
///
/// # Errors
/// For what is no JSON object, or one without anything that the service says.
pub fn parse_accepted(body: &[u8], events: usize) -> Result<Rejected, AnswerError> {
    // A list would be read as the fields in order.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(AnswerError::NotJson);
    }
    let accepted: Accepted = serde_json::from_slice(body).map_err(|_| AnswerError::NotJson)?;
    let says_something = accepted.next_sequence_token.is_some()
        || accepted.rejected_log_events_info.is_some()
        || accepted.rejected_entity_info.is_some();
    if !says_something && !accepted.other.is_empty() {
        return Err(AnswerError::Foreign);
    }
    let Some(info) = accepted.rejected_log_events_info else { return Ok(Rejected::default()) };
    let old_end = info.too_old_log_event_end_index.unwrap_or(0).min(events);
    let expired_end = info.expired_log_event_end_index.unwrap_or(0).min(events);
    let new_start = info.too_new_log_event_start_index.unwrap_or(events).min(events);
    let lost_end = old_end.max(expired_end);
    Ok(Rejected {
        too_old: old_end,
        expired: expired_end.saturating_sub(old_end),
        too_new: events - new_start.max(lost_end),
    })
}

/// The code and the message of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorCode {
    pub code: String,
    pub message: String,
}

#[derive(Deserialize)]
struct ErrorBody {
    #[serde(rename = "__type")]
    kind: Option<String>,
    code: Option<String>,
    #[serde(alias = "Message", alias = "errorMessage")]
    message: Option<String>,
}

/// Finds the error's code: in the header `x-amzn-errortype`, else in the body (JSON, or the XML that
/// gateways in front of the service speak).
pub fn error_code(header: Option<&str>, body: &[u8]) -> Option<ErrorCode> {
    let json: Option<ErrorBody> = serde_json::from_slice(body).ok();
    let (from_json, message) = match json {
        Some(ErrorBody { kind, code, message }) => (code.or(kind), message),
        None => (None, None),
    };
    let xml = |tag: &str| {
        let text = std::str::from_utf8(body).ok()?;
        let (_, rest) = text.split_once(&format!("<{tag}>"))?;
        Some(rest.split_once("</")?.0.to_owned())
    };
    let code = header.map(str::to_owned).or(from_json).or_else(|| xml("Code"))?;
    let code = code.split(':').next().unwrap_or_default();
    let code = code.rsplit('#').next().unwrap_or_default().trim().to_owned();
    let message = message.or_else(|| xml("Message")).unwrap_or_default();
    (!code.is_empty()).then_some(ErrorCode { code, message })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_that_was_not_taken_is_counted_once() {
        for (info, too_old, expired, too_new) in [
            ("", 0, 0, 0),
            (r#""tooOldLogEventEndIndex":3"#, 3, 0, 0),
            (r#""expiredLogEventEndIndex":4"#, 0, 4, 0),
            (r#""tooOldLogEventEndIndex":3,"expiredLogEventEndIndex":5"#, 3, 2, 0),
            (r#""tooNewLogEventStartIndex":8"#, 0, 0, 2),
            (r#""tooOldLogEventEndIndex":1,"tooNewLogEventStartIndex":9"#, 1, 0, 1),
            (r#""tooOldLogEventEndIndex":99,"tooNewLogEventStartIndex":0"#, 10, 0, 0),
            (r#""tooNewLogEventStartIndex":0"#, 0, 0, 10),
        ] {
            let body = format!(r#"{{"nextSequenceToken":"4","rejectedLogEventsInfo":{{{info}}}}}"#);
            let expected = Rejected { too_old, expired, too_new };
            assert_eq!(parse_accepted(body.as_bytes(), 10), Ok(expected), "{info}");
        }
    }

    #[test]
    fn only_a_json_object_is_an_answer() {
        assert!(parse_accepted(b"{}", 1).is_ok());
        assert!(parse_accepted(br#"{"rejectedLogEventsInfo":null}"#, 1).is_ok());
        for body in ["", "<html>", "[]", "null", "ok", "{", "7", "{} {}"] {
            assert_eq!(parse_accepted(body.as_bytes(), 1), Err(AnswerError::NotJson), "{body}");
        }
    }

    #[test]
    fn an_object_of_something_else_is_no_answer() {
        for body in [r#"{"status":"ok"}"#, r#"{"__type":"InternalFailure"}"#, r#"{"error":null}"#] {
            assert_eq!(parse_accepted(body.as_bytes(), 1), Err(AnswerError::Foreign), "{body}");
        }
        for body in [
            r#"{"nextSequenceToken":null}"#,
            r#"{"nextSequenceToken":"4","somethingNew":1}"#,
            r#"{"rejectedEntityInfo":{"errorType":"InvalidEntity"},"somethingNew":1}"#,
        ] {
            assert_eq!(parse_accepted(body.as_bytes(), 1), Ok(Rejected::default()), "{body}");
        }
    }

    #[test]
    fn the_code_of_an_error_is_found_wherever_it_stands() {
        for (header, body, code, message) in [
            (None, r#"{"__type":"ThrottlingException","message":"slow"}"#, "ThrottlingException", "slow"),
            (
                None,
                r#"{"__type":"com.amazon#InvalidParameterException:x","Message":"no"}"#,
                "InvalidParameterException",
                "no",
            ),
            (Some("AccessDenied:http://x"), "{}", "AccessDenied", ""),
            (
                None,
                "<Error><Code>SignatureDoesNotMatch</Code><Message>m</Message></Error>",
                "SignatureDoesNotMatch",
                "m",
            ),
        ] {
            let expected = ErrorCode { code: code.into(), message: message.into() };
            assert_eq!(error_code(header, body.as_bytes()), Some(expected));
        }
        for body in ["", "{}", "<html></html>", "not json"] {
            assert_eq!(error_code(None, body.as_bytes()), None);
        }
    }
}
