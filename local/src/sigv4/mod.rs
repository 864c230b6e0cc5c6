//! Signature Version 4 from the receiving side: is this request signed, by a known key, for this service, just now?
//!
//! Nothing here is shared with what signs the shipper's requests, so that a mistake in one cannot hide in the other.

mod authorization;
mod canonical;
mod encode;
pub mod keys;

use http::HeaderMap;
use http::request::Parts;
use ring::{digest, hmac};

use crate::clock::Timestamp;
use crate::refusal::Refusal;
use authorization::{ALGORITHM, Authorization, missing_token};
use canonical::canonical_request;
use encode::{hex, sha256, unhex};
use keys::{KeyPair, Keys};

/// Judges signatures for one service.
#[derive(Clone, Debug)]
pub struct Verifier {
    pub keys: Keys,
    pub service: &'static str,
    /// `None` accepts any.
    pub region: Option<String>,
}

impl Verifier {
    /// Checks one request and answers with the region it was signed for, if it was.
    pub fn verify(&self, request: &Parts, body: &[u8], now: Timestamp) -> Result<Option<String>, Refusal> {
        if matches!(self.keys, Keys::Unchecked) {
            return Ok(region_claimed(&request.headers));
        }
        let header = single(&request.headers, "authorization").ok_or_else(missing_token)?;
        let signed_at = date_of(&request.headers);
        let parsed = Authorization::parse(header, signed_at != DateHeader::Absent)?;
        let DateHeader::Valid(signed_at) = signed_at else {
            return Err(Refusal::new(
                "IncompleteSignatureException",
                "Date must be in ISO-8601 'basic format'. See http://en.wikipedia.org/wiki/ISO_8601",
            ));
        };
        check_window(signed_at, now)?;
        check_signed_headers(&parsed, &request.headers)?;
        self.check_scope(&parsed, signed_at)?;
        match &self.keys {
            Keys::Unchecked => {}
            Keys::AnyId => check_shape(&parsed)?,
            Keys::Known(pairs) => {
                let pair = known(pairs, &parsed, &request.headers, now)?;
                let given = GivenRequest { request, body, signed_at };
                check_signature(&parsed, pair, &given)?;
            }
        }
        Ok(Some(parsed.region.to_owned()))
    }

    fn check_scope(&self, parsed: &Authorization<'_>, signed_at: Timestamp) -> Result<(), Refusal> {
        let mut wrong = Vec::new();
        let region_fits = match &self.region {
            Some(region) => region == parsed.region,
            None => !parsed.region.is_empty(),
        };
        if !region_fits {
            wrong.push("Credential should be scoped to a valid region. ".to_owned());
        }
        if parsed.service != self.service {
            wrong.push(format!("Credential should be scoped to correct service: '{}'. ", self.service));
        }
        if parsed.terminator != "aws4_request" {
            wrong.push(format!(
                "Credential should be scoped with a valid terminator: 'aws4_request', not '{}'. ",
                parsed.terminator
            ));
        }
        let date = signed_at.compact_date();
        if parsed.date != date {
            wrong.push(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{date}', from '{}'. ",
                parsed.date,
                signed_at.compact()
            ));
        }
        if wrong.is_empty() { Ok(()) } else { Err(invalid(wrong.concat())) }
    }
}

/// A request beside the date it was signed at.
struct GivenRequest<'a> {
    request: &'a Parts,
    body: &'a [u8],
    signed_at: Timestamp,
}

fn check_signature(
    parsed: &Authorization<'_>,
    pair: &KeyPair,
    given: &GivenRequest<'_>,
) -> Result<(), Refusal> {
    let uri = &given.request.uri;
    let digest = hex(sha256(given.body).as_ref());
    let claimed = single(&given.request.headers, "x-amz-content-sha256");
    if claimed.is_some_and(|claimed| claimed != digest) {
        tracing::debug!(claimed, digest, "x-amz-content-sha256 is not the digest of the body");
        return Err(invalid(MISMATCH));
    }
    let canonical = canonical_request(
        given.request.method.as_str(),
        uri.path(),
        uri.query().unwrap_or_default(),
        &given.request.headers,
        &parsed.signed_headers,
        &digest,
    );
    let string_to_sign = string_to_sign(given.signed_at, parsed.scope, &canonical);
    let key = signing_key(pair.secret(), parsed.date, parsed.region, parsed.service);
    let valid = unhex(parsed.signature)
        .is_some_and(|signature| hmac::verify(&key, string_to_sign.as_bytes(), &signature).is_ok());
    if valid {
        return Ok(());
    }
    tracing::debug!(
        canonical_request = readable(&canonical),
        "signature differs; this is the canonical request that the endpoint signed"
    );
    Err(invalid(MISMATCH))
}

/// A canonical request without the session token in it.
fn readable(canonical: &[u8]) -> String {
    let text = String::from_utf8_lossy(canonical);
    let lines = text.lines().map(|line| match line.split_once(':') {
        Some((TOKEN, _)) => "x-amz-security-token:(hidden)",
        _ => line,
    });
    lines.collect::<Vec<&str>>().join("\n")
}

fn known<'a>(
    pairs: &'a [KeyPair],
    parsed: &Authorization<'_>,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<&'a KeyPair, Refusal> {
    let unknown = || {
        Refusal::new("UnrecognizedClientException", "The security token included in the request is invalid.")
    };
    let token = single(headers, TOKEN);
    let pair = pairs
        .iter()
        .find(|pair| pair.id() == parsed.key_id && pair.accepts_token(token))
        .ok_or_else(unknown)?;
    if pair.expired(now) {
        return Err(expired_token());
    }
    Ok(pair)
}

pub fn expired_token() -> Refusal {
    Refusal::new("ExpiredTokenException", "The security token included in the request is expired")
}

pub fn mismatch() -> Refusal {
    invalid(MISMATCH)
}

/// The region in the credential scope of a request whose signature nobody checks.
fn region_claimed(headers: &HeaderMap) -> Option<String> {
    let header = single(headers, "authorization")?;
    let parsed = Authorization::parse(header, true).ok()?;
    Some(parsed.region.to_owned())
}

fn check_window(signed_at: Timestamp, now: Timestamp) -> Result<(), Refusal> {
    let earliest = now.plus(-WINDOW_MILLIS);
    let latest = now.plus(WINDOW_MILLIS);
    // The header has whole seconds: what is left of the current one is not the sender's fault.
    if signed_at < earliest.plus(-999) {
        return Err(invalid(format!(
            "Signature expired: {} is now earlier than {} ({} - 5 min.)",
            signed_at.compact(),
            earliest.compact(),
            now.compact()
        )));
    }
    if signed_at > latest {
        return Err(invalid(format!(
            "Signature not yet current: {} is still later than {} ({} + 5 min.)",
            signed_at.compact(),
            latest.compact(),
            now.compact()
        )));
    }
    Ok(())
}

/// `host` and every `x-amz-` header present have to be signed; the content type may be.
fn check_signed_headers(parsed: &Authorization<'_>, headers: &HeaderMap) -> Result<(), Refusal> {
    let signed = |name: &str| parsed.signed_headers.iter().any(|signed| signed.eq_ignore_ascii_case(name));
    if !signed("host") {
        return Err(invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."));
    }
    for name in headers.keys() {
        if name.as_str().starts_with("x-amz-") && !signed(name.as_str()) {
            return Err(invalid(format!("'{name}' must be a 'SignedHeader' in the AWS Authorization.")));
        }
    }
    Ok(())
}

fn check_shape(parsed: &Authorization<'_>) -> Result<(), Refusal> {
    let id_fits = (1..=128).contains(&parsed.key_id.len())
        && parsed.key_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !id_fits {
        return Err(Refusal::new(
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ));
    }
    match unhex(parsed.signature) {
        Some(signature) if signature.len() == digest::SHA256_OUTPUT_LEN => Ok(()),
        _ => Err(invalid(MISMATCH)),
    }
}

#[derive(PartialEq, Eq)]
enum DateHeader {
    Absent,
    Malformed,
    Valid(Timestamp),
}

fn date_of(headers: &HeaderMap) -> DateHeader {
    let read = if let Some(text) = single(headers, "x-amz-date") {
        Timestamp::parse_compact(text)
    } else if let Some(text) = single(headers, "date") {
        Timestamp::parse_compact(text).or_else(|| Timestamp::parse_http_date(text))
    } else {
        return DateHeader::Absent;
    };
    read.map_or(DateHeader::Malformed, DateHeader::Valid)
}

fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn string_to_sign(signed_at: Timestamp, scope: &str, canonical: &[u8]) -> String {
    format!("{ALGORITHM}\n{}\n{scope}\n{}", signed_at.compact(), hex(sha256(canonical).as_ref()))
}

fn signing_key(secret: &str, date: &str, region: &str, service: &str) -> hmac::Key {
    let sha = |key: &[u8]| hmac::Key::new(hmac::HMAC_SHA256, key);
    let mut key = sha(format!("AWS4{secret}").as_bytes());
    for part in [date, region, service, "aws4_request"] {
        key = sha(hmac::sign(&key, part.as_bytes()).as_ref());
    }
    key
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new("InvalidSignatureException", message)
}

const TOKEN: &str = "x-amz-security-token";
const WINDOW_MILLIS: i64 = 5 * 60 * 1000;
const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";

#[cfg(test)]
mod tests;
