//! Content codings: what a body was before it was sent compressed.

use std::io::Read;

use bytes::Bytes;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

/// How a body comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    Plain,
    Gzip,
    Deflate,
}

/// Those that are understood, as `Accept-Encoding` lists them.
pub const ACCEPTED: &str = "gzip, deflate";

/// Why a body cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodingError {
    TooLarge,
    Broken,
}

impl Coding {
    /// `None`: one that is not understood.
    pub fn of(headers: &HeaderMap) -> Option<Coding> {
        let Some(coding) = headers.get(CONTENT_ENCODING) else { return Some(Coding::Plain) };
        match coding.to_str().ok()?.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Some(Coding::Plain),
            "gzip" | "x-gzip" => Some(Coding::Gzip),
            "deflate" => Some(Coding::Deflate),
            _ => None,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Coding::Plain => "identity",
            Coding::Gzip => "gzip",
            Coding::Deflate => "deflate",
        }
    }

    /// The body as it was, if it is no longer than `limit`.
    pub fn undo(self, body: Bytes, limit: usize) -> Result<Bytes, CodingError> {
        match self {
            Coding::Plain => Ok(body),
            Coding::Gzip => read(MultiGzDecoder::new(&*body), body.len(), limit),
            Coding::Deflate => read(ZlibDecoder::new(&*body), body.len(), limit),
        }
    }
}

fn read(decoder: impl Read, compressed: usize, limit: usize) -> Result<Bytes, CodingError> {
    let mut body = Vec::with_capacity(compressed.saturating_mul(4).min(limit));
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    decoder.take(most).read_to_end(&mut body).map_err(|_| CodingError::Broken)?;
    match body.len() > limit {
        true => Err(CodingError::TooLarge),
        false => Ok(body.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};

    use super::*;

    fn gzip(text: &[u8]) -> Bytes {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap().into()
    }

    #[test]
    fn a_compressed_body_is_what_it_was() {
        let text = vec![b'a'; 1_000];
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(&text).unwrap();
        let zlib = Bytes::from(zlib.finish().unwrap());
        for (coding, body) in [(Coding::Gzip, gzip(&text)), (Coding::Deflate, zlib)] {
            assert_eq!(coding.undo(body.clone(), 1_000).unwrap(), text);
            assert_eq!(coding.undo(body.clone(), 999), Err(CodingError::TooLarge));
            assert_eq!(coding.undo(body.slice(..body.len() - 5), 1_000), Err(CodingError::Broken));
            assert_eq!(coding.undo(Bytes::from_static(b"{}"), 1_000), Err(CodingError::Broken));
        }
    }

    #[test]
    fn a_little_body_that_would_be_great_is_refused_before_it_is() {
        let bomb = gzip(&vec![0; 64 << 20]);
        assert!(bomb.len() < 1 << 20);
        assert_eq!(Coding::Gzip.undo(bomb, 1 << 20), Err(CodingError::TooLarge));
    }

    #[test]
    fn codings_are_known_by_name() {
        for (name, coding) in [
            ("gzip", Some(Coding::Gzip)),
            ("GZIP", Some(Coding::Gzip)),
            ("deflate", Some(Coding::Deflate)),
            ("identity", Some(Coding::Plain)),
            ("snappy", None),
            ("gzip, gzip", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_ENCODING, name.parse().unwrap());
            assert_eq!(Coding::of(&headers), coding, "{name}");
        }
        assert_eq!(Coding::of(&HeaderMap::new()), Some(Coding::Plain));
    }
}
