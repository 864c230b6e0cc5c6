//! Signs requests, with Signature Version 4.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials as AwsCredentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign as sign_request,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;

use crate::time::Timestamp;

/// The service's name in a signature.
const SERVICE: &str = "logs";

/// What requests are signed with. It has no `Debug` and no `Display`; the secret is wiped when dropped.
pub struct Credentials {
    identity: Identity,
    expires: Option<Timestamp>,
}

impl Credentials {
    pub fn new(
        access_key_id: String,
        secret_access_key: String,
        session_token: Option<String>,
        expires: Option<Timestamp>,
    ) -> Credentials {
        let credentials = AwsCredentials::new(access_key_id, secret_access_key, session_token, None, "host");
        Credentials { identity: credentials.into(), expires }
    }

    /// When they end; `None` if they do not.
    pub fn expires(&self) -> Option<Timestamp> {
        self.expires
    }
}

/// A digest, in hexadecimal.
pub type Hex = String;

/// The SHA-256 of a body in hexadecimal, given by a host or made here.
pub fn hex(digest: &[u8]) -> Hex {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().map_or('0', char::from);
    digest.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The headers that sign a POST to `url` with `headers` and a body of this digest, at `now`.
///
/// `now` should be the service's time: it refuses what is more than five minutes off.
///
/// # Errors
/// Only if a header cannot be sent at all, as with control characters in it.
pub fn sign(
    credentials: &Credentials,
    region: &str,
    now: Timestamp,
    url: &str,
    headers: &[(&'static str, String)],
    body_digest: &str,
) -> Result<Vec<(&'static str, String)>, String> {
    let mut settings = SigningSettings::default();
    settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
    let params = v4::SigningParams::builder()
        .identity(&credentials.identity)
        .region(region)
        .name(SERVICE)
        .time(SystemTime::UNIX_EPOCH + Duration::from_nanos(now.nanos()))
        .settings(settings)
        .build()
        .map_err(|error| error.to_string())?
        .into();
    let body = SignableBody::Precomputed(body_digest.to_owned());
    let headers = headers.iter().map(|(name, value)| (*name, value.as_str()));
    let request = SignableRequest::new("POST", url, headers, body).map_err(|error| error.to_string())?;
    let output = sign_request(request, &params).map_err(|error| error.to_string())?;
    let (instructions, _) = output.into_parts();
    let (headers, _) = instructions.into_parts();
    Ok(headers.into_iter().map(|header| (header.name(), header.value().to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `authorization.txt` was written by botocore, for the same request.
    #[test]
    fn a_signature_is_the_one_that_botocore_makes() {
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned();
        let credentials = Credentials::new("AKIDEXAMPLE".into(), secret, Some("TOKEN".into()), None);
        let headers = [
            ("content-type", "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target", "Logs_20140328.PutLogEvents".to_owned()),
        ];
        let digest = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        let now = Timestamp::from_millis(1_440_938_160_000);
        let signed =
            sign(&credentials, "us-east-1", now, "https://logs.us-east-1.amazonaws.com/", &headers, digest);
        let signed = signed.unwrap();
        let value = |name| signed.iter().find(|(header, _)| *header == name).map(|(_, value)| value.as_str());
        assert_eq!(value("x-amz-date"), Some("20150830T123600Z"));
        assert_eq!(value("x-amz-security-token"), Some("TOKEN"));
        let expected = include_str!("authorization.txt").trim_end();
        assert_eq!(value("authorization"), Some(expected));
    }

    #[test]
    fn digests_are_written_in_hexadecimal() {
        assert_eq!(hex(&[0x00, 0x9f, 0xff]), "009fff");
    }
}
