//! Logs to measure with: the same bytes each time, from a generator with a seed.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A log: so many lines of about so many bytes, of a kind of text, framed in a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    pub framing: Framing,
    pub text: Text,
    pub lines: u64,
    /// Of a line, with its LF.
    pub width: usize,
}

/// How lines are framed; the names are those of `cloudspout pipe --framing`, and one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    Lines,
    /// As `Lines`, but they are handed in one by one.
    Ready,
    FramesWithTimes,
    JsonFile,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    /// ASCII without anything to escape.
    Plain,
    /// JSON: a quotation mark every dozen bytes.
    Json,
    /// Words of two, three and four bytes a character.
    Utf8,
}

impl Framing {
    pub fn name(self) -> &'static str {
        match self {
            Framing::Lines => "lines",
            Framing::Ready => "ready",
            Framing::FramesWithTimes => "frames-with-times",
            Framing::JsonFile => "json-file",
        }
    }
}

impl Text {
    pub fn name(self) -> &'static str {
        match self {
            Text::Plain => "plain",
            Text::Json => "JSON",
            Text::Utf8 => "UTF-8",
        }
    }
}

impl Log {
    pub const fn new(framing: Framing, text: Text, lines: u64, width: usize) -> Log {
        Log { framing, text, lines, width }
    }

    /// The file that holds it in a directory; written if it is not there yet.
    pub fn file(&self, directory: &Path) -> Result<PathBuf, String> {
        let Log { framing, text, lines, width } = self;
        let path = directory.join(format!("{}-{}-{lines}-{width}.log", framing.name(), text.name()));
        if !path.exists() {
            self.write(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(path)
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        let unfinished = path.with_extension("unfinished");
        let mut out = BufWriter::with_capacity(1 << 20, File::create(&unfinished)?);
        let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
        let mut line = Vec::new();
        let mut framed = Vec::new();
        for number in 0..self.lines {
            line.clear();
            self.text.line(number, self.width.saturating_sub(1), &mut chance, &mut line);
            framed.clear();
            self.framing.append(number, &line, &mut framed);
            out.write_all(&framed)?;
        }
        out.flush()?;
        fs::rename(unfinished, path)
    }
}

impl Text {
    /// One line of exactly so many bytes, without its LF.
    fn line(self, number: u64, width: usize, chance: &mut Chance, out: &mut Vec<u8>) {
        let (begin, words, end): (_, &[&str], _) = match self {
            Text::Plain => (format!("{number:08} "), &PLAIN, ""),
            Text::Json => (format!("{{\"n\":{number}"), &JSON, "}"),
            Text::Utf8 => (format!("{number:08} "), &UTF8, ""),
        };
        out.extend_from_slice(begin.as_bytes());
        out.truncate(width);
        loop {
            let word = words[chance.below(words.len())];
            if out.len() + word.len() + end.len() > width {
                break;
            }
            out.extend_from_slice(word.as_bytes());
        }
        let fill = width.saturating_sub(out.len() + end.len());
        out.extend(std::iter::repeat_n(b' ', fill));
        out.extend_from_slice(end.as_bytes());
    }
}

impl Framing {
    fn append(self, number: u64, line: &[u8], out: &mut Vec<u8>) {
        let time = time(number);
        match self {
            Framing::Lines | Framing::Ready => {
                out.extend_from_slice(line);
                out.push(b'\n');
            }
            Framing::FramesWithTimes => {
                for part in parts(line) {
                    let length = (time.len() + 1 + part.len()) as u32;
                    out.extend_from_slice(&[1, 0, 0, 0]);
                    out.extend_from_slice(&length.to_be_bytes());
                    out.extend_from_slice(time.as_bytes());
                    out.push(b' ');
                    out.extend_from_slice(&part);
                }
            }
            Framing::JsonFile => {
                for part in parts(line) {
                    out.extend_from_slice(b"{\"log\":\"");
                    for byte in part {
                        match byte {
                            b'"' => out.extend_from_slice(b"\\\""),
                            b'\\' => out.extend_from_slice(b"\\\\"),
                            b'\n' => out.extend_from_slice(b"\\n"),
                            other => out.push(other),
                        }
                    }
                    let end = format!("\",\"stream\":\"stdout\",\"time\":\"{time}\"}}\n");
                    out.extend_from_slice(end.as_bytes());
                }
            }
        }
    }
}

/// A line as Docker cuts it: at 16 KiB, LF and all.
fn parts(line: &[u8]) -> Vec<Vec<u8>> {
    let mut whole = line.to_vec();
    whole.push(b'\n');
    whole.chunks(16 << 10).map(<[u8]>::to_vec).collect()
}

/// RFC 3339, ten microseconds a line, all on one day.
fn time(number: u64) -> String {
    let nanos = number * 10_000;
    let seconds = nanos / 1_000_000_000;
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("2026-11-20T{hour:02}:{minute:02}:{second:02}.{:09}Z", nanos % 1_000_000_000)
}

/// xorshift: nothing here depends on how good it is, only on its being the same everywhere.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

const PLAIN: [&str; 6] =
    ["GET /index.html 200 ", "took 12 ms ", "user=4711 ", "ok ", "connection from 10.0.0.7 ", "retry "];
const JSON: [&str; 5] = [
    r#","level":"info""#,
    r#","msg":"request served""#,
    r#","path":"/a/b/c""#,
    r#","took_ms":12"#,
    r#","user":"4711""#,
];
const UTF8: [&str; 5] = ["grüße ", "你好 ", "сервер ", "🐎 ", "naïve "];
