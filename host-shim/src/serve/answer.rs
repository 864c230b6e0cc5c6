//! What senders are told: a status that says whether to send again, and words or counts for people.

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Response, StatusCode};
use http_body_util::Full;

use super::Limits;
use super::body::BodyError;
use super::coding::ACCEPTED;
use crate::streams::Fate;

pub type Reply = Response<Full<Bytes>>;

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Each event is in CloudWatch, but for those that it refused for good.
    Taken { events: u64, refused: u64 },
    /// Nothing was taken, and the same request will never be: do not send it again.
    Refused(StatusCode, String),
    /// Not taken, or not known to be: send it again, after a while.
    Again(String),
}

impl Answer {
    pub fn of_fate(fate: Option<Fate>) -> Answer {
        match fate {
            Some(Fate::Settled { events, refused }) => Answer::Taken { events, refused },
            Some(Fate::Unreadable(problem)) => Answer::Refused(StatusCode::BAD_REQUEST, problem),
            None => Answer::Again("ended before CloudWatch had accepted all of it".to_owned()),
        }
    }

    /// `None`: there is nobody left to answer.
    pub fn of_error(error: BodyError, limits: &Limits) -> Option<Answer> {
        Some(match error {
            BodyError::Gone => return None,
            BodyError::TooLarge => Answer::Refused(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the body is longer than {} bytes (see --max-body)", limits.body),
            ),
            BodyError::Full => Answer::Again("as much as may wait for CloudWatch does already".to_owned()),
            BodyError::Silent => {
                let text = format!("nothing came of the body for {} s", limits.silence.as_secs());
                Answer::Refused(StatusCode::REQUEST_TIMEOUT, text)
            }
            BodyError::Miscoded(coding) => Answer::Refused(
                StatusCode::BAD_REQUEST,
                format!("the body is not in the {} format, or not whole", coding.name()),
            ),
        })
    }

    pub fn closed() -> Answer {
        Answer::Again("about to end".to_owned())
    }

    pub fn unauthorized() -> Answer {
        let text = "no token that is known: send `Authorization: Bearer TOKEN` with one of the token file";
        Answer::Refused(StatusCode::UNAUTHORIZED, text.to_owned())
    }

    pub fn unsupported_coding() -> Answer {
        let text = format!("Content-Encoding is none of identity, {ACCEPTED}");
        Answer::Refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, text)
    }

    pub fn unsupported_type(accepted: &str) -> Answer {
        Answer::Refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("Content-Type is none of {accepted}"))
    }

    /// The status; what was refused in part is taken, since it would be taken again with the rest.
    pub fn status(&self) -> StatusCode {
        match self {
            Answer::Taken { events, refused } if events == refused && *events > 0 => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Answer::Taken { .. } => StatusCode::OK,
            Answer::Refused(status, _) => *status,
            Answer::Again(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// As an answer to JSON or text.
    pub fn to_reply(&self) -> Reply {
        let body = match self {
            Answer::Taken { events, refused: 0 } => serde_json::json!({ "accepted": events }),
            Answer::Taken { events, refused } => serde_json::json!({
                "accepted": events.saturating_sub(*refused),
                "refused": refused,
                "error": REFUSED,
            }),
            Answer::Refused(_, error) | Answer::Again(error) => serde_json::json!({ "error": error }),
        };
        reply(self.status(), JSON, format!("{body}\n"))
    }
}

/// How OTLP's answers are written: as the request was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtlpForm {
    Protobuf,
    Json,
}

impl Answer {
    /// As an answer to OTLP: an `ExportLogsServiceResponse`, with what was refused as partial success; or a
    /// `Status` with its message.
    pub fn to_otlp_reply(&self, form: OtlpForm) -> Reply {
        let (status, refused, message) = match self {
            Answer::Taken { refused: 0, .. } => return reply(StatusCode::OK, form.media(), form.success()),
            Answer::Taken { refused, .. } => (StatusCode::OK, Some(*refused), REFUSED),
            Answer::Refused(_, error) | Answer::Again(error) => (self.status(), None, error.as_str()),
        };
        let body = match (form, refused) {
            (OtlpForm::Json, Some(refused)) => {
                let partial =
                    serde_json::json!({ "rejectedLogRecords": refused.to_string(), "errorMessage": message });
                serde_json::json!({ "partialSuccess": partial }).to_string().into_bytes()
            }
            (OtlpForm::Json, None) => serde_json::json!({ "message": message }).to_string().into_bytes(),
            // partial_success = 1: rejected_log_records = 1, error_message = 2.
            (OtlpForm::Protobuf, Some(refused)) => {
                let mut partial = vec![1 << 3];
                varint(refused, &mut partial);
                field(2, message.as_bytes(), &mut partial);
                let mut response = Vec::new();
                field(1, &partial, &mut response);
                response
            }
            // message = 2.
            (OtlpForm::Protobuf, None) => {
                let mut status = Vec::new();
                field(2, message.as_bytes(), &mut status);
                status
            }
        };
        reply(status, form.media(), body)
    }
}

impl OtlpForm {
    fn media(self) -> &'static str {
        match self {
            OtlpForm::Protobuf => PROTOBUF,
            OtlpForm::Json => JSON,
        }
    }

    fn success(self) -> &'static str {
        match self {
            OtlpForm::Protobuf => "",
            OtlpForm::Json => "{}",
        }
    }
}

/// Appends a protobuf field of bytes.
fn field(number: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push((number << 3) | 2);
    varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number > 0x7f {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// An answer with the headers that its status goes with.
pub fn reply(status: StatusCode, media: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::from(body.into()));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    match status {
        StatusCode::SERVICE_UNAVAILABLE => {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
        }
        StatusCode::UNAUTHORIZED => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        StatusCode::METHOD_NOT_ALLOWED => {
            headers.insert(ALLOW, HeaderValue::from_static("POST, PUT, HEAD"));
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(ACCEPTED));
        }
        _ => {}
    }
    reply
}

pub const JSON: &str = "application/json";
pub const PROTOBUF: &str = "application/x-protobuf";
const REFUSED: &str =
    "CloudWatch refuses these for good (too old, too new, or invalid): see the log of cloudspout";
/// Senders add their own patience to it.
const RETRY_AFTER_SECONDS: &str = "1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_whether_to_send_again() {
        let taken = |events, refused| Answer::Taken { events, refused };
        for (answer, status) in [
            (taken(0, 0), 200),
            (taken(5, 0), 200),
            (taken(5, 2), 200),
            (taken(5, 5), 422),
            (Answer::of_fate(Some(Fate::Unreadable("line 1".to_owned()))), 400),
            (Answer::of_fate(None), 503),
            (Answer::unauthorized(), 401),
            (Answer::closed(), 503),
        ] {
            let reply = answer.to_reply();
            assert_eq!(reply.status(), status, "{answer:?}");
            assert_eq!(reply.headers().contains_key(RETRY_AFTER), status == 503, "{answer:?}");
        }
    }

    #[tokio::test]
    async fn otlp_is_answered_in_its_own_words() {
        use http_body_util::BodyExt;
        let taken = |events, refused| Answer::Taken { events, refused };
        let again = Answer::Again("full".to_owned());
        let (length, five) = (REFUSED.len() as u8, 5);
        let protobuf = vec![0x0a, length + 4, 0x08, five, 0x12, length];
        for (answer, form, status, body) in [
            (taken(5, 0), OtlpForm::Json, 200, b"{}".to_vec()),
            (taken(5, 0), OtlpForm::Protobuf, 200, Vec::new()),
            (taken(5, 5), OtlpForm::Protobuf, 200, [protobuf, REFUSED.as_bytes().to_vec()].concat()),
            (again.clone(), OtlpForm::Protobuf, 503, b"\x12\x04full".to_vec()),
            (again, OtlpForm::Json, 503, b"{\"message\":\"full\"}".to_vec()),
        ] {
            let reply = answer.to_otlp_reply(form);
            assert_eq!(reply.status(), status, "{answer:?}");
            assert_eq!(reply.headers()[CONTENT_TYPE], form.media());
            assert_eq!(reply.into_body().collect().await.unwrap().to_bytes(), body, "{answer:?}");
        }
        let partial =
            taken(3, 2).to_otlp_reply(OtlpForm::Json).into_body().collect().await.unwrap().to_bytes();
        let partial: serde_json::Value = serde_json::from_slice(&partial).unwrap();
        assert_eq!(partial["partialSuccess"]["rejectedLogRecords"], "2");
    }
}
