//! A rotated file that Docker compressed: the log comes out of it from front to back, a piece at a time.
//!
//! Docker writes `path.N.gz` beside `path.N` and removes the latter once the former is whole, so a file that
//! ends too early is what a daemon left that was ended in the middle.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use flate2::bufread::GzDecoder;
use serde::Deserialize;

use crate::docker::instant::nanoseconds;

/// A compressed file, open for reading. Places in it are those of the file that was compressed.
#[derive(Debug)]
pub(super) struct Compressed {
    pub file: Arc<File>,
    /// Made when something is read, and gone once all is.
    decoder: Option<Box<Decoder>>,
    end: Option<End>,
}

/// What is known once the end was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub length: u64,
    /// Whether it is the end that Docker wrote.
    pub whole: bool,
}

#[derive(Debug)]
struct Decoder {
    stream: GzDecoder<BufReader<Cursor>>,
    /// The place of what comes out next.
    at: u64,
}

#[derive(Debug)]
struct Cursor {
    file: Arc<File>,
    at: u64,
}

/// What Docker writes into the header.
#[derive(Deserialize)]
struct Extra {
    #[serde(rename = "lastTime")]
    last_time: String,
}

impl Compressed {
    pub fn new(file: File) -> Compressed {
        Compressed { file: Arc::new(file), decoder: None, end: None }
    }

    /// Reads until the room is full or the file is at its end. What lies before `at` is decoded and thrown
    /// away, unless it has just been read.
    pub fn read_at(&mut self, room: &mut [u8], at: u64) -> io::Result<usize> {
        if self.end.is_some_and(|end| at >= end.length) {
            return Ok(0);
        }
        let mut decoder = match self.decoder.take() {
            Some(decoder) if decoder.at <= at => decoder,
            _ => self.decode_anew(),
        };
        let mut whole = true;
        while decoder.at < at {
            let mut passed = [0; 16 << 10];
            let most = usize::try_from(at - decoder.at).unwrap_or(usize::MAX).min(passed.len());
            let (count, sound) = decoder.read(passed.get_mut(..most).unwrap_or_default())?;
            whole &= sound;
            if count == 0 {
                break;
            }
        }
        let mut filled = 0;
        while let Some(left) = room.get_mut(filled..).filter(|left| !left.is_empty()) {
            let (count, sound) = decoder.read(left)?;
            whole &= sound;
            if count == 0 {
                self.end = Some(End { length: decoder.at, whole });
                return Ok(filled);
            }
            filled += count;
        }
        self.decoder = Some(decoder);
        Ok(filled)
    }

    /// The end, which is looked for if nobody has been there.
    pub fn end(&mut self) -> io::Result<End> {
        let mut room = vec![0; 64 << 10];
        let mut at = self.decoder.as_ref().map_or(0, |decoder| decoder.at);
        loop {
            if let Some(end) = self.end {
                return Ok(end);
            }
            at += self.read_at(&mut room, at)? as u64;
        }
    }

    /// The end, if somebody has been there.
    pub fn known_end(&self) -> Option<End> {
        self.end
    }

    /// Forgets how far it was read: should it be read after all, it is read from the beginning.
    pub fn rest(&mut self) {
        self.decoder = None;
    }

    /// Reads from the beginning, without leaving a trace.
    pub fn beginning(&self, room: &mut [u8]) -> io::Result<usize> {
        Compressed { file: Arc::clone(&self.file), decoder: None, end: None }.read_at(room, 0)
    }

    /// The time of the last entry, as Docker noted it in the header.
    pub fn last_time(&self) -> Option<u64> {
        let decoder = self.decode_anew();
        let extra: Extra = serde_json::from_slice(decoder.stream.header()?.extra()?).ok()?;
        nanoseconds(&extra.last_time)
    }

    /// How long the log in it is, by the file's own word, which is cut to 32 bits. Without meaning for a
    /// file that is not whole.
    pub fn noted_length(&self) -> io::Result<u32> {
        let mut noted = [0; 4];
        let end = self.file.metadata()?.len();
        self.file.read_exact_at(&mut noted, end.saturating_sub(4))?;
        Ok(u32::from_le_bytes(noted))
    }

    fn decode_anew(&self) -> Box<Decoder> {
        let cursor = Cursor { file: Arc::clone(&self.file), at: 0 };
        let stream = GzDecoder::new(BufReader::with_capacity(READ_AHEAD, cursor));
        Box::new(Decoder { stream, at: 0 })
    }
}

impl Decoder {
    /// Some bytes, or none at the end; and whether what was compressed is sound.
    fn read(&mut self, room: &mut [u8]) -> io::Result<(usize, bool)> {
        loop {
            match self.stream.read(room) {
                Ok(count) => {
                    self.at += count as u64;
                    return Ok((count, true));
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_unsound(&error) => return Ok((0, false)),
                Err(error) => return Err(error),
            }
        }
    }
}

/// Whether it is the contents of the file that are wrong, rather than the disk.
fn is_unsound(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidInput | ErrorKind::InvalidData)
}

impl Read for Cursor {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(room, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

/// Compressed bytes that are read at a time.
const READ_AHEAD: usize = 16 << 10;
