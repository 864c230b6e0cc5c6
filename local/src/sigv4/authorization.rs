//! The `Authorization` header of a signed request, taken apart.

use super::encode::{base64, sha256};
use crate::refusal::Refusal;

/// The parts of `AWS4-HMAC-SHA256 Credential=.., SignedHeaders=.., Signature=..`.
#[derive(Debug, PartialEq, Eq)]
pub struct Authorization<'a> {
    pub key_id: &'a str,
    /// Date, region, service and terminator, as they enter the string to sign.
    pub scope: &'a str,
    pub date: &'a str,
    pub region: &'a str,
    pub service: &'a str,
    pub terminator: &'a str,
    pub signed_headers: Vec<&'a str>,
    pub signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// Takes the header apart; `dated` tells whether the request carries a date beside it.
    pub fn parse(header: &'a str, dated: bool) -> Result<Authorization<'a>, Refusal> {
        let (algorithm, rest) = header.split_once(' ').unwrap_or((header, ""));
        if !algorithm.starts_with("AWS4-") {
            return Err(missing_token());
        }
        if algorithm != ALGORITHM {
            return Err(incomplete(format!("Unsupported AWS 'algorithm': '{algorithm}'.")));
        }
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for part in rest.split(',') {
            let part = part.trim();
            if part.is_empty() {
                continue;
            }
            let Some((name, value)) = part.split_once('=') else {
                return Err(incomplete(format!(
                    "'{}' not a valid key=value pair (missing equal-sign) in Authorization header {}.",
                    shortened(part),
                    fingerprint(header)
                )));
            };
            match name {
                "Credential" => credential = Some(value),
                "SignedHeaders" => signed_headers = Some(value),
                "Signature" => signature = Some(value),
                _ => {}
            }
        }
        let (Some(credential), Some(signed_headers), Some(signature), true) =
            (credential, signed_headers, signature, dated)
        else {
            let mut wanted = Vec::new();
            if credential.is_none() {
                wanted.push("Authorization header requires 'Credential' parameter.");
            }
            if signature.is_none() {
                wanted.push("Authorization header requires 'Signature' parameter.");
            }
            if signed_headers.is_none() {
                wanted.push("Authorization header requires 'SignedHeaders' parameter.");
            }
            if !dated {
                wanted.push(
                    "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
                );
            }
            wanted.push("(Hashed with SHA-256 and encoded with Base64)");
            return Err(incomplete(format!("{} Authorization={}", wanted.join(" "), fingerprint(header))));
        };
        let parts: Vec<&str> = credential.split('/').collect();
        let [key_id, date, region, service, terminator] = parts.as_slice() else {
            return Err(incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{}'",
                shortened(credential)
            )));
        };
        let scope = credential.split_once('/').map_or("", |(_, scope)| scope);
        Ok(Authorization {
            key_id,
            scope,
            date,
            region,
            service,
            terminator,
            signed_headers: signed_headers.split(';').collect(),
            signature,
        })
    }
}

pub fn missing_token() -> Refusal {
    Refusal::new("MissingAuthenticationTokenException", "Missing Authentication Token")
}

fn incomplete(message: String) -> Refusal {
    Refusal::new("IncompleteSignatureException", message)
}

/// The service answers with a hash of the header since it stopped echoing it.
fn fingerprint(header: &str) -> String {
    base64(sha256(header.as_bytes()).as_ref())
}

/// Keeps a mistyped secret from coming back whole in an answer.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}..", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const SHOWN: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "AWS4-HMAC-SHA256 Credential=AKID/20150830/us-east-1/logs/aws4_request, SignedHeaders=host;x-amz-date, Signature=ab";

    #[test]
    fn a_whole_header_is_taken_apart() {
        let parsed = Authorization::parse(GOOD, true).unwrap();
        assert_eq!(parsed.key_id, "AKID");
        assert_eq!(parsed.scope, "20150830/us-east-1/logs/aws4_request");
        assert_eq!(parsed.signed_headers, ["host", "x-amz-date"]);
        assert_eq!(parsed.signature, "ab");
        assert!(Authorization::parse(&GOOD.replace(", ", ","), true).is_ok());
    }

    #[test]
    fn what_is_missing_is_named() {
        let cases = [
            ("Bearer abc", true, "MissingAuthenticationTokenException", "Missing Authentication Token"),
            (
                "AWS4-ECDSA-P256-SHA256 x=y",
                true,
                "IncompleteSignatureException",
                "Unsupported AWS 'algorithm'",
            ),
            (
                "AWS4-HMAC-SHA256 Signature=a",
                true,
                "IncompleteSignatureException",
                "'Credential' parameter. Authorization header requires 'SignedHeaders'",
            ),
            (
                "AWS4-HMAC-SHA256 nonsense",
                true,
                "IncompleteSignatureException",
                "'nonsense' not a valid key=value pair (missing equal-sign)",
            ),
            (GOOD, false, "IncompleteSignatureException", "either a 'X-Amz-Date' or a 'Date' header"),
            (
                "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=c",
                true,
                "IncompleteSignatureException",
                "exactly 5 slash-delimited elements",
            ),
        ];
        for (header, dated, code, words) in cases {
            let refusal = Authorization::parse(header, dated).unwrap_err();
            assert_eq!(refusal.code, code, "{header}");
            assert!(refusal.message.as_ref().unwrap().contains(words), "{refusal:?}");
        }
    }
}
