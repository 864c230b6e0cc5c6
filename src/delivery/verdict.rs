//! What an answer means, and so what to do: a pure function, with a table of every case.

use super::Response;
use crate::cloudwatch::{AnswerError, Operation, Rejected, error_code, parse_accepted};
use crate::time::{Millis, Timestamp};

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Response(Response),
    /// It never left: no connection, no such host, a certificate that is not trusted. The text is for people.
    NotSent(String),
    /// It left, or part of it did, and no answer came: it may have been carried out.
    Unanswered(String),
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Done; these events were not taken, for good.
    Accept(Rejected),
    /// Send it again after a while.
    Retry(Cause),
    /// Make the log group or log stream, then send it again.
    Create,
    /// Ask for other credentials, then send it again.
    Renew(Refusal),
    /// Sign with the service's time from now on, so many ms from ours, and send it again.
    SetClock(i64),
    /// Somebody has to mend something; keep it, say so, and try again.
    Hold(Refusal),
    /// Something in it is not acceptable: halve it to find out what.
    Halve(Refusal),
}

/// Why a request is to be sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Refused for now: it was not carried out.
    Throttled {
        asked: Option<Millis>,
        text: String,
    },
    /// The service failed.
    Fault {
        asked: Option<Millis>,
        text: String,
    },
    NotSent(String),
    Unanswered(String),
}

/// Who refused, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No permission.
    Denied(String),
    /// The credentials are not good.
    Credentials(String),
    /// What answers is not CloudWatch Logs.
    NotCloudWatch(String),
    /// The service names something that is wrong with the request.
    Invalid(String),
}

impl Answer {
    /// Whether a request that was not answered as it should be may have been carried out all the same:
    /// no answer came, or something else gave it, as a gateway does whose patience ended.
    pub fn leaves_open(&self) -> bool {
        match self {
            Answer::NotSent(_) => false,
            Answer::Unanswered(_) => true,
            Answer::Response(response) => match response.status {
                // An error of the service's own has a code, and says that nothing was done.
                500..=599 => error_code(response.error_type.as_deref(), &response.body).is_none(),
                status => status == 200,
            },
        }
    }
}

/// Our clock and the service's may differ by so much; beyond it, signatures are refused.
const CLOCK_TOLERANCE: Millis = Millis(4 * 60 * 1_000);

impl Verdict {
    /// The verdict on the answer to a request with so many events, signed as of `signed`.
    pub fn of(answer: &Answer, operation: Operation, events: usize, signed: Timestamp) -> Verdict {
        match answer {
            Answer::NotSent(text) => Verdict::Retry(Cause::NotSent(text.clone())),
            Answer::Unanswered(text) => Verdict::Retry(Cause::Unanswered(text.clone())),
            Answer::Response(response) => of_response(response, operation, events, signed),
        }
    }
}

fn of_response(response: &Response, operation: Operation, events: usize, signed: Timestamp) -> Verdict {
    let error = error_code(response.error_type.as_deref(), &response.body);
    let status = response.status;
    if status == 200 {
        return of_success(response, operation, events);
    }
    let asked = response.retry_after;
    let Some(error) = error else {
        return match status {
            429 => Verdict::Retry(Cause::Throttled { asked, text: format!("status {status}") }),
            // Something in between lost its patience with our body.
            408 => Verdict::Retry(Cause::Fault { asked, text: format!("status {status}") }),
            413 => Verdict::Halve(Refusal::Invalid("the request is too large".into())),
            500..=599 => Verdict::Retry(Cause::Fault { asked, text: format!("status {status}") }),
            300..=399 => Verdict::Hold(Refusal::NotCloudWatch(format!("it redirects (status {status})"))),
            _ => Verdict::Hold(Refusal::NotCloudWatch(format!(
                "it answers with status {status} and no error code"
            ))),
        };
    };
    let text = if error.message.is_empty() {
        error.code.clone()
    } else {
        format!("{}: {}", error.code, error.message)
    };
    let off = response.date.map(|date| date.nanos() as i64 / 1_000_000 - signed.nanos() as i64 / 1_000_000);
    let skewed = off.filter(|off| off.unsigned_abs() > CLOCK_TOLERANCE.0);
    match error.code.as_str() {
        "ResourceNotFoundException" => Verdict::Create,
        "ResourceAlreadyExistsException" => Verdict::Accept(Rejected::default()),
        // What an emulator may send that still has sequence tokens: the batch is there already.
        "DataAlreadyAcceptedException" => Verdict::Accept(Rejected::default()),
        "InvalidSequenceTokenException" | "OperationAbortedException" => {
            Verdict::Retry(Cause::Throttled { asked, text })
        }
        code if is_signature(code) => match skewed {
            Some(off) => Verdict::SetClock(off),
            None => Verdict::Renew(Refusal::Credentials(text)),
        },
        code if is_credentials(code) => Verdict::Renew(Refusal::Credentials(text)),
        code if is_throttling(code) => Verdict::Retry(Cause::Throttled { asked, text }),
        code if is_fault(code) => Verdict::Retry(Cause::Fault { asked, text }),
        code if is_denied(code) => match skewed {
            Some(off) => Verdict::SetClock(off),
            None => Verdict::Hold(Refusal::Denied(text)),
        },
        "UnknownOperationException" => Verdict::Hold(Refusal::NotCloudWatch(text)),
        code if is_invalid(code) && operation == Operation::PutLogEvents => {
            Verdict::Halve(Refusal::Invalid(text))
        }
        code if is_invalid(code) => Verdict::Hold(Refusal::Invalid(text)),
        _ => match status {
            413 => Verdict::Halve(Refusal::Invalid(text)),
            429 => Verdict::Retry(Cause::Throttled { asked, text }),
            500..=599 => Verdict::Retry(Cause::Fault { asked, text }),
            _ => Verdict::Hold(Refusal::Denied(text)),
        },
    }
}

fn of_success(response: &Response, operation: Operation, events: usize) -> Verdict {
    match operation {
        Operation::PutLogEvents => match parse_accepted(&response.body, events) {
            Ok(rejected) => Verdict::Accept(rejected),
            // Should the service ever say something new only, it says it in its own type of content.
            Err(AnswerError::Foreign) if response.is_amz_json => Verdict::Accept(Rejected::default()),
            Err(AnswerError::Foreign) => not_cloudwatch("it answers with status 200 and JSON of its own"),
            Err(AnswerError::NotJson) => {
                not_cloudwatch("it answers with status 200 and something else than JSON")
            }
        },
        // The service answers these with nothing at all; some emulators with an empty object.
        Operation::CreateLogStream | Operation::CreateLogGroup | Operation::PutRetentionPolicy => {
            match response.body.trim_ascii() {
                b"" => Verdict::Accept(Rejected::default()),
                [b'{', ..] => Verdict::Accept(Rejected::default()),
                _ => not_cloudwatch("it answers with status 200 and something else than JSON"),
            }
        }
    }
}

fn not_cloudwatch(text: &str) -> Verdict {
    Verdict::Hold(Refusal::NotCloudWatch(text.to_owned()))
}

/// Codes that a clock may be to blame for.
fn is_signature(code: &str) -> bool {
    matches!(
        code,
        "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "AuthFailure"
            | "RequestTimeTooSkewed"
            | "RequestExpired"
    )
}

fn is_credentials(code: &str) -> bool {
    matches!(
        code,
        "ExpiredToken"
            | "ExpiredTokenException"
            | "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "InvalidAccessKeyId"
            | "InvalidToken"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "IncompleteSignature"
            | "IncompleteSignatureException"
            | "TokenRefreshRequired"
    )
}

fn is_denied(code: &str) -> bool {
    matches!(
        code,
        "AccessDenied"
            | "AccessDeniedException"
            | "NotAuthorized"
            | "UnauthorizedOperation"
            | "OptInRequired"
    )
}

/// The codes that the AWS SDKs take for throttling, and the limit on creating log groups.
fn is_throttling(code: &str) -> bool {
    matches!(
        code,
        "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "TooManyRequestsException"
            | "ProvisionedThroughputExceededException"
            | "TransactionInProgressException"
            | "RequestLimitExceeded"
            | "BandwidthLimitExceeded"
            | "LimitExceededException"
            | "SlowDown"
            | "PriorRequestNotComplete"
            | "EC2ThrottledException"
    )
}

fn is_fault(code: &str) -> bool {
    matches!(
        code,
        "InternalFailure"
            | "InternalServerError"
            | "InternalServerException"
            | "InternalError"
            | "ServiceUnavailable"
            | "ServiceUnavailableException"
            | "RequestTimeout"
            | "RequestTimeoutException"
    )
}

fn is_invalid(code: &str) -> bool {
    matches!(
        code,
        "InvalidParameterException"
            | "InvalidParameterValue"
            | "ValidationException"
            | "ValidationError"
            | "SerializationException"
            | "MalformedQueryString"
            | "RequestEntityTooLarge"
            | "RequestEntityTooLargeException"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000_000_000);

    fn response(status: u16, body: &str) -> Answer {
        Answer::Response(Response { status, body: body.as_bytes().to_vec(), ..Response::default() })
    }

    fn coded(status: u16, code: &str) -> Answer {
        response(status, &format!("{{\"__type\":\"{code}\",\"message\":\"m\"}}"))
    }

    fn put(answer: &Answer) -> Verdict {
        Verdict::of(answer, Operation::PutLogEvents, 3, NOW)
    }

    fn said(code: &str) -> String {
        format!("{code}: m")
    }

    #[test]
    fn every_answer_has_its_verdict() {
        let throttled = |text: String| Verdict::Retry(Cause::Throttled { asked: None, text });
        let fault = |text: String| Verdict::Retry(Cause::Fault { asked: None, text });
        let renew = |code| Verdict::Renew(Refusal::Credentials(said(code)));
        let halve = |code| Verdict::Halve(Refusal::Invalid(said(code)));
        let denied = |code| Verdict::Hold(Refusal::Denied(said(code)));
        let table = [
            (response(200, "{}"), Verdict::Accept(Rejected::default())),
            (
                response(200, r#"{"rejectedLogEventsInfo":{"tooOldLogEventEndIndex":1}}"#),
                Verdict::Accept(Rejected { too_old: 1, ..Rejected::default() }),
            ),
            (
                response(200, "<html>"),
                not_cloudwatch("it answers with status 200 and something else than JSON"),
            ),
            (response(200, ""), not_cloudwatch("it answers with status 200 and something else than JSON")),
            (response(302, ""), not_cloudwatch("it redirects (status 302)")),
            (response(404, "<html>"), not_cloudwatch("it answers with status 404 and no error code")),
            (
                response(200, r#"{"status":"ok"}"#),
                not_cloudwatch("it answers with status 200 and JSON of its own"),
            ),
            (
                Answer::Response(Response {
                    status: 200,
                    is_amz_json: true,
                    body: br#"{"somethingNew":1}"#.to_vec(),
                    ..Response::default()
                }),
                Verdict::Accept(Rejected::default()),
            ),
            (response(204, ""), not_cloudwatch("it answers with status 204 and no error code")),
            (response(301, ""), not_cloudwatch("it redirects (status 301)")),
            (response(307, ""), not_cloudwatch("it redirects (status 307)")),
            (response(403, "<html>"), not_cloudwatch("it answers with status 403 and no error code")),
            (response(408, ""), fault("status 408".into())),
            (response(502, "<html>"), fault("status 502".into())),
            (response(504, "<html>"), fault("status 504".into())),
            (response(500, "oops"), fault("status 500".into())),
            (response(503, ""), fault("status 503".into())),
            (response(429, ""), throttled("status 429".into())),
            (response(413, ""), Verdict::Halve(Refusal::Invalid("the request is too large".into()))),
            (coded(400, "ThrottlingException"), throttled(said("ThrottlingException"))),
            (coded(400, "InvalidSequenceTokenException"), throttled(said("InvalidSequenceTokenException"))),
            (coded(500, "InternalFailure"), fault(said("InternalFailure"))),
            (coded(503, "ServiceUnavailableException"), fault(said("ServiceUnavailableException"))),
            (coded(500, "Surprise"), fault(said("Surprise"))),
            (coded(400, "ResourceNotFoundException"), Verdict::Create),
            (coded(400, "DataAlreadyAcceptedException"), Verdict::Accept(Rejected::default())),
            (coded(400, "ExpiredTokenException"), renew("ExpiredTokenException")),
            (coded(400, "UnrecognizedClientException"), renew("UnrecognizedClientException")),
            (coded(403, "InvalidSignatureException"), renew("InvalidSignatureException")),
            (coded(400, "AccessDeniedException"), denied("AccessDeniedException")),
            (coded(400, "Surprise"), denied("Surprise")),
            (coded(400, "InvalidParameterException"), halve("InvalidParameterException")),
            (coded(400, "SerializationException"), halve("SerializationException")),
            (coded(413, "RequestEntityTooLarge"), halve("RequestEntityTooLarge")),
            (Answer::NotSent("no".into()), Verdict::Retry(Cause::NotSent("no".into()))),
            (Answer::Unanswered("cut".into()), Verdict::Retry(Cause::Unanswered("cut".into()))),
        ];
        for (answer, verdict) in table {
            assert_eq!(put(&answer), verdict, "{answer:?}");
        }
    }

    #[test]
    fn what_the_service_asks_for_comes_with_the_verdict() {
        let asked = Some(Millis(7_000));
        for (answer, cause) in [
            (response(429, ""), Cause::Throttled { asked, text: "status 429".into() }),
            (response(503, ""), Cause::Fault { asked, text: "status 503".into() }),
            (
                coded(400, "ThrottlingException"),
                Cause::Throttled { asked, text: said("ThrottlingException") },
            ),
            (
                coded(503, "ServiceUnavailableException"),
                Cause::Fault { asked, text: said("ServiceUnavailableException") },
            ),
        ] {
            let Answer::Response(response) = answer else { unreachable!() };
            let answer = Answer::Response(Response { retry_after: asked, ..response });
            assert_eq!(put(&answer), Verdict::Retry(cause), "{answer:?}");
        }
    }

    #[test]
    fn only_what_was_never_definitely_answered_may_have_been_carried_out() {
        for (answer, open) in [
            (Answer::NotSent("refused".into()), false),
            (Answer::Unanswered("cut".into()), true),
            (response(200, "<html>"), true),
            (response(200, r#"{"status":"ok"}"#), true),
            (response(500, "oops"), true),
            (response(502, "<html>"), true),
            (response(504, ""), true),
            (coded(500, "InternalFailure"), false),
            (coded(503, "ServiceUnavailableException"), false),
            (coded(400, "ThrottlingException"), false),
            (response(302, ""), false),
            (response(403, "<html>"), false),
            (response(408, ""), false),
            (response(413, ""), false),
            (response(429, ""), false),
        ] {
            assert_eq!(answer.leaves_open(), open, "{answer:?}");
        }
    }

    #[test]
    fn creating_what_exists_is_as_good_as_creating_it() {
        for operation in [Operation::CreateLogStream, Operation::CreateLogGroup] {
            for answer in
                [response(200, ""), response(200, "{}"), coded(400, "ResourceAlreadyExistsException")]
            {
                assert_eq!(Verdict::of(&answer, operation, 0, NOW), Verdict::Accept(Rejected::default()));
            }
            let invalid = Verdict::of(&coded(400, "InvalidParameterException"), operation, 0, NOW);
            assert_eq!(invalid, Verdict::Hold(Refusal::Invalid(said("InvalidParameterException"))));
        }
    }

    #[test]
    fn a_clock_that_is_off_is_told_from_wrong_credentials() {
        for (off_ms, code, verdict) in [
            (3_600_000, "InvalidSignatureException", Verdict::SetClock(3_600_000)),
            (-3_600_000, "RequestTimeTooSkewed", Verdict::SetClock(-3_600_000)),
            (3_600_000, "AccessDeniedException", Verdict::SetClock(3_600_000)),
            (1_000, "AccessDeniedException", Verdict::Hold(Refusal::Denied(said("AccessDeniedException")))),
            (
                1_000,
                "InvalidSignatureException",
                Verdict::Renew(Refusal::Credentials(said("InvalidSignatureException"))),
            ),
        ] {
            let Answer::Response(response) = coded(403, code) else { unreachable!() };
            let answer = Answer::Response(Response { date: Some(NOW.shifted(off_ms)), ..response });
            assert_eq!(put(&answer), verdict, "{code} at {off_ms}");
        }
    }
}
