//! What Envoy says of an HTTP call, as an answer that the core can judge.

use cloudspout::delivery::{Answer, Response};

/// Answers that Envoy gives itself, of a request that never left: nobody to connect to, no connection, or
/// no room for one. Each is the body's beginning, or what it says of the reason.
const NOT_SENT: [&str; 6] = [
    "no healthy upstream",
    "connection failure",
    "connection timeout",
    "connection refused",
    "overflow",
    "refused",
];
/// How Envoy begins what it says itself.
const OF_ENVOY: [&str; 4] =
    ["no healthy upstream", "upstream connect error", "upstream request timeout", "upstream "];
/// What every answer of the service's has.
const REQUEST_ID: &str = "x-amzn-requestid";
/// As much of a text as people want to read.
const SOME: usize = 200;

/// The answer to a request. `header` finds a header by its name, in small letters.
pub fn answer_of(header: impl Fn(&str) -> Option<String>, body: Vec<u8>) -> Answer {
    let Some(status) = status_of(&header) else {
        return Answer::Unanswered("Envoy lost the connection".to_owned());
    };
    if matches!(status, 502..=504) && header(REQUEST_ID).is_none() {
        let text = String::from_utf8_lossy(&body);
        let text: String = text.trim().chars().take(SOME).collect();
        if OF_ENVOY.iter().any(|begin| text.starts_with(begin)) {
            let lower = text.to_ascii_lowercase();
            let left = !NOT_SENT.iter().any(|reason| lower.contains(reason));
            let text = format!("Envoy says: {text}");
            return if left { Answer::Unanswered(text) } else { Answer::NotSent(text) };
        }
    }
    Answer::Response(Response { body, ..Response::of_head(status, header) })
}

/// The status, if there is an answer at all.
pub fn status_of(header: impl Fn(&str) -> Option<String>) -> Option<u16> {
    header(":status")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(headers: &[(&str, &str)], body: &str) -> Answer {
        let header = |name: &str| {
            headers.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        answer_of(header, body.as_bytes().to_vec())
    }

    #[test]
    fn what_envoy_says_itself_is_told_from_what_the_service_says() {
        let begin = "upstream connect error or disconnect/reset before headers. reset reason: ";
        for (reason, left) in [
            (
                "remote connection failure, transport failure reason: delayed connect error: Connection refused",
                false,
            ),
            ("connection timeout", false),
            ("overflow", false),
            ("connection termination", true),
            ("remote reset", true),
            ("protocol error", true),
        ] {
            let answer = answer(&[(":status", "503")], &format!("{begin}{reason}"));
            assert_eq!(matches!(answer, Answer::Unanswered(_)), left, "{answer:?}");
            assert_eq!(matches!(answer, Answer::NotSent(_)), !left, "{answer:?}");
        }
        assert!(matches!(answer(&[(":status", "503")], "no healthy upstream"), Answer::NotSent(_)));
        assert!(matches!(answer(&[(":status", "504")], "upstream request timeout"), Answer::Unanswered(_)));
        assert!(matches!(answer(&[], ""), Answer::Unanswered(_)));
        assert!(matches!(answer(&[(":status", "?")], ""), Answer::Unanswered(_)));
    }

    #[test]
    fn what_the_service_says_is_a_response() {
        for headers in [
            vec![(":status", "503"), ("x-amzn-requestid", "r")],
            vec![(":status", "200"), ("content-type", "application/x-amz-json-1.1")],
            vec![(":status", "400"), ("x-amzn-errortype", "ThrottlingException")],
        ] {
            let Answer::Response(response) = answer(&headers, "upstream {}") else { panic!("{headers:?}") };
            assert_eq!(response.status.to_string(), headers[0].1);
            assert_eq!(response.body, b"upstream {}");
        }
        assert!(matches!(answer(&[(":status", "502")], "<html>"), Answer::Response(_)));
    }
}
