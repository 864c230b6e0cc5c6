//! Request bodies: read and inflated within bounds.

use std::io::Read;

use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use http::HeaderMap;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

use crate::refusal::Refusal;

/// Why there is no body to work on.
#[derive(Debug)]
pub enum BodyError {
    /// The peer is gone.
    Broken(hyper::Error),
    TooLarge,
}

/// Reads a body of at most `limit` bytes.
///
/// Of a larger one as much again is read and thrown away, so that the sender gets to see the answer.
pub async fn read(mut body: Incoming, limit: usize) -> Result<Bytes, BodyError> {
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut whole = BytesMut::with_capacity(expected.min(limit));
    let mut excess = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(BodyError::Broken)?.into_data() else {
            continue;
        };
        if excess == 0 && whole.len() + data.len() <= limit {
            whole.extend_from_slice(&data);
            continue;
        }
        excess += data.len();
        if excess > limit.saturating_mul(2) {
            break;
        }
    }
    if excess > 0 {
        return Err(BodyError::TooLarge);
    }
    Ok(whole.freeze())
}

/// Undoes `Content-Encoding: gzip`; other encodings are not the service's.
pub fn decoded(headers: &HeaderMap, body: Bytes, limit: usize) -> Result<Bytes, Refusal> {
    let Some(encoding) = headers.get(http::header::CONTENT_ENCODING) else {
        return Ok(body);
    };
    match encoding.as_bytes() {
        b"identity" | b"" => Ok(body),
        b"gzip" => inflate(&body, limit),
        _ => Err(Refusal::serialization("Content-Encoding is not supported")),
    }
}

fn inflate(body: &[u8], limit: usize) -> Result<Bytes, Refusal> {
    let mut inflated = Vec::with_capacity(body.len().saturating_mul(4).min(limit));
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let read = MultiGzDecoder::new(body).take(bound).read_to_end(&mut inflated);
    if read.is_err() {
        return Err(Refusal::serialization("the body is not in gzip format"));
    }
    if inflated.len() > limit {
        return Err(Refusal::too_large());
    }
    Ok(Bytes::from(inflated))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    #[test]
    fn gzip_is_inflated_up_to_the_limit() {
        let mut headers = HeaderMap::new();
        headers.insert("content-encoding", "gzip".parse().unwrap());
        let packed = gzip(&[b'a'; 1000]);
        assert_eq!(decoded(&headers, packed.clone(), 1000).unwrap().len(), 1000);
        assert_eq!(decoded(&headers, packed, 999).unwrap_err().status, 413);
        let torn = decoded(&headers, Bytes::from_static(b"{}"), 999).unwrap_err();
        assert_eq!(torn.code, "SerializationException");
    }

    fn gzip(raw: &[u8]) -> Bytes {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(raw).unwrap();
        encoder.finish().unwrap().into()
    }
}
