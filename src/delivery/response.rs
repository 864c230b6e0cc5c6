//! A response, as far as it matters to what is done next.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::time::{Millis, Timestamp};

/// A response, as far as it matters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// The header `x-amzn-errortype`.
    pub error_type: Option<String>,
    /// Whether the content is of the type that the service's answers are.
    pub is_amz_json: bool,
    /// The header `date`.
    pub date: Option<Timestamp>,
    /// How long to wait, as `x-amz-retry-after` (ms) says, else `retry-after` (s, or a date).
    pub retry_after: Option<Millis>,
    pub body: Vec<u8>,
}

impl Response {
    /// A response without its body. `header` finds a header by its name, which is given in small letters.
    pub fn of_head(status: u16, header: impl Fn(&str) -> Option<String>) -> Response {
        let number = |name: &str| header(name)?.trim().parse::<u64>().ok();
        let moment = |name: &str| moment(header(name)?.trim());
        let date = moment("date");
        let seconds = |seconds: u64| Millis(seconds.saturating_mul(1_000));
        // Against the service's own clock: ours may be off.
        let until = || Some(moment("retry-after")?.since(date?));
        Response {
            status,
            error_type: header("x-amzn-errortype"),
            is_amz_json: header("content-type")
                .is_some_and(|kind| kind.starts_with("application/x-amz-json")),
            date,
            retry_after: number("x-amz-retry-after")
                .map(Millis)
                .or_else(|| number("retry-after").map(seconds))
                .or_else(until),
            body: Vec::new(),
        }
    }
}

fn moment(text: &str) -> Option<Timestamp> {
    let moment: SystemTime = httpdate::parse_http_date(text).ok()?;
    let since = moment.duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp::from_millis(u64::try_from(since.as_millis()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_service_asks_for_is_read_in_every_form() {
        const DATE: (&str, &str) = ("date", "Sat, 21 Nov 2026 05:30:00 GMT");
        for (headers, retry_after) in [
            (vec![], None),
            (vec![("retry-after", "7")], Some(7_000)),
            (vec![("retry-after", " 7 ")], Some(7_000)),
            (vec![("x-amz-retry-after", "250")], Some(250)),
            (vec![("retry-after", "7"), ("x-amz-retry-after", "250")], Some(250)),
            (vec![("retry-after", "soon")], None),
            (vec![("retry-after", "-1")], None),
            (vec![("retry-after", "99999999999999999999")], None),
            (vec![DATE, ("retry-after", "Sat, 21 Nov 2026 05:31:30 GMT")], Some(90_000)),
            (vec![DATE, ("retry-after", "Sat, 21 Nov 2026 05:29:00 GMT")], Some(0)),
            (vec![("retry-after", "Sat, 21 Nov 2026 05:31:30 GMT")], None),
        ] {
            let header = |name: &str| {
                let found = headers.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            let response = Response::of_head(429, header);
            assert_eq!(response.retry_after, retry_after.map(Millis), "{headers:?}");
        }
    }

    #[test]
    fn date_and_error_type_are_read() {
        let header = |name: &str| match name {
            "date" => Some("Fri, 15 Jan 2027 08:00:05 GMT".to_owned()),
            "x-amzn-errortype" => Some("ThrottlingException".to_owned()),
            _ => None,
        };
        let response = Response::of_head(400, header);
        assert_eq!(response.date, Some(Timestamp::from_millis(1_800_000_005_000)));
        assert_eq!(response.error_type.as_deref(), Some("ThrottlingException"));
        assert_eq!(Response::of_head(400, |_| Some("nonsense".to_owned())).date, None);
    }
}
