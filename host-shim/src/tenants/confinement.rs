//! Which log groups a tenant may write to: those whose names begin with its prefix.

use std::borrow::Cow;
use std::io::Read;

use flate2::bufread::GzDecoder;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::egress::shortened;

/// A prefix of log groups' names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confinement {
    prefix: String,
}

/// What a request's body says of its log group. A body that says it twice is refused by the parser: nobody
/// knows which of the two CloudWatch would go by. ARNs say it in other ways, and the component uses none.
#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, rename = "logGroupName")]
    group: Cow<'a, str>,
    #[serde(rename = "logGroupIdentifier")]
    identifier: Option<IgnoredAny>,
    #[serde(rename = "resourceArn")]
    arn: Option<IgnoredAny>,
}

/// A body of a full batch when it is not compressed, in bytes.
const LONGEST: u64 = 8 << 20;

impl Confinement {
    pub fn new(prefix: &str) -> Confinement {
        Confinement { prefix: prefix.to_owned() }
    }

    /// # Errors
    /// The body is for another log group, or cannot be understood; says what it is.
    pub fn check(&self, encoding: Option<&[u8]>, body: &[u8]) -> Result<(), String> {
        match encoding {
            None => self.check_plain(body),
            Some(b"gzip") => {
                let mut plain = Vec::new();
                let mut decoder = GzDecoder::new(body);
                let read = decoder.by_ref().take(LONGEST + 1).read_to_end(&mut plain);
                // Another member could follow, which not everybody reads.
                let whole = read.is_ok_and(|read| read as u64 <= LONGEST) && decoder.into_inner().is_empty();
                if !whole {
                    return Err("a compressed body that cannot be read".to_owned());
                }
                self.check_plain(&plain)
            }
            Some(_) => Err("a body in a form that cannot be read".to_owned()),
        }
    }

    fn check_plain(&self, body: &[u8]) -> Result<(), String> {
        let Ok(Body { group, identifier: None, arn: None }) = serde_json::from_slice(body) else {
            return Err("a body that does not name one log group".to_owned());
        };
        if group.starts_with(&self.prefix) {
            return Ok(());
        }
        Err(format!("a request for log group {:?}, outside of {:?},", shortened(&group), self.prefix))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_body_names_one_log_group_within_the_prefix() {
        let confinement = Confinement::new("/t/acme/");
        for (body, passes) in [
            (
                r#"{"logGroupName":"/t/acme/web","logStreamName":"s","logEvents":[{"timestamp":1,"message":"m"}]}"#,
                true,
            ),
            (r#"{"logStreamName":"s","logGroupName":"/t/acme/"}"#, true),
            (r#"{"logGroupName":"\/t/acme/\u0077eb"}"#, true),
            (
                r#"{"logEvents":[{"message":"\"logGroupName\":\"/t/other\""}],"logGroupName":"/t/acme/a"}"#,
                true,
            ),
            (r#"{"logGroupName":"/t/other/web"}"#, false),
            (r#"{"logGroupName":"/t/acme"}"#, false),
            (r#"{"logGroupName":"/T/acme/"}"#, false),
            (r#"{"logGroupName":"/t/acme/web","logGroupName":"/t/other/web"}"#, false),
            (r#"{"logGroupName":"/t/acme/web","logEvents":[],"log\u0047roupName":"/t/other/web"}"#, false),
            (r#"{"logGroupName":"/t/acme/web","logGroupIdentifier":"/t/other/web"}"#, false),
            (r#"{"logGroupName":"/t/acme/web","resourceArn":"arn:aws:logs:x:1:log-group:y"}"#, false),
            (r#"{"logGroupName":["/t/acme/web"]}"#, false),
            (r#"{"logGroupName":"/t/acme/web"}{"logGroupName":"/t/other"}"#, false),
            (r#"{"logGroupName":"/t/acme/web""#, false),
            ("{}", false),
            ("", false),
        ] {
            assert_eq!(confinement.check(None, body.as_bytes()).is_ok(), passes, "{body}");
            assert_eq!(confinement.check(Some(b"gzip"), &gzip(body)).is_ok(), passes, "compressed: {body}");
        }
    }

    #[test]
    fn what_cannot_be_read_does_not_pass() {
        let confinement = Confinement::new("/t/acme/");
        let good = r#"{"logGroupName":"/t/acme/web"}"#;
        let mut two = gzip(good);
        two.extend(gzip(r#"{"logGroupName":"/t/other"}"#));
        assert!(confinement.check(Some(b"gzip"), &two).is_err());
        assert!(confinement.check(Some(b"gzip"), good.as_bytes()).is_err());
        assert!(confinement.check(Some(b"deflate"), good.as_bytes()).is_err());
        let bomb = format!("{good}{}", " ".repeat(9 << 20));
        assert!(confinement.check(Some(b"gzip"), &gzip(&bomb)).is_err());
    }
}
