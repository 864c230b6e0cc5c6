//! Requests over HTTP/1.1, as fast as one machine can send and answer them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// Asks for each of these paths, over so many connections at a time. Every answer has to be a 200.
pub fn get_all(port: u16, paths: &[String], connections: usize) {
    let share = paths.len().div_ceil(connections).max(1);
    thread::scope(|scope| {
        for paths in paths.chunks(share) {
            scope.spawn(move || over_one(port, paths));
        }
    });
}

fn over_one(port: u16, paths: &[String]) {
    let (mut writer, mut reader) = connection(port).expect("a connection");
    for path in paths {
        // One after the other: Envoy resets a connection on which it is ahead of its own answers.
        let request = format!("GET {path} HTTP/1.1\r\nhost: shop\r\n\r\n");
        writer.write_all(request.as_bytes()).expect("requests are taken");
        let (status, _) = answer(&mut reader).unwrap_or_else(|| panic!("{path}: no answer"));
        assert_eq!(status, 200, "{path}");
    }
}

/// Asks for a path; status and body, if there is an answer.
pub fn get(port: u16, path: &str) -> Option<(u16, String)> {
    exchange(port, &format!("GET {path} HTTP/1.1\r\nhost: shop\r\n\r\n"))
}

/// Sends an empty form.
pub fn post(port: u16, path: &str) -> Option<(u16, String)> {
    exchange(port, &format!("POST {path} HTTP/1.1\r\nhost: shop\r\ncontent-length: 0\r\n\r\n"))
}

/// Sends a request as it stands.
pub fn exchange(port: u16, request: &str) -> Option<(u16, String)> {
    let (mut writer, mut reader) = connection(port)?;
    writer.write_all(request.as_bytes()).ok()?;
    answer(&mut reader)
}

fn connection(port: u16) -> Option<(TcpStream, BufReader<TcpStream>)> {
    let writer = TcpStream::connect(("127.0.0.1", port)).ok()?;
    writer.set_read_timeout(Some(PATIENCE)).ok()?;
    writer.set_nodelay(true).ok()?;
    let reader = BufReader::with_capacity(64 << 10, writer.try_clone().ok()?);
    Some((writer, reader))
}

/// The next answer, whose length has to be told, or which comes in chunks.
fn answer(reader: &mut BufReader<TcpStream>) -> Option<(u16, String)> {
    let status = line(reader)?.split(' ').nth(1)?.parse().ok()?;
    let (mut length, mut chunked) = (0, false);
    loop {
        let header = line(reader)?.to_ascii_lowercase();
        match header.split_once(": ") {
            Some(("content-length", value)) => length = value.parse().ok()?,
            Some(("transfer-encoding", "chunked")) => chunked = true,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = Vec::new();
    while chunked {
        length = usize::from_str_radix(&line(reader)?, 16).ok()?;
        take(reader, length, &mut body)?;
        line(reader)?;
        chunked = length > 0;
        length = 0;
    }
    take(reader, length, &mut body)?;
    Some((status, String::from_utf8_lossy(&body).into_owned()))
}

fn line(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    Some(line.trim_end().to_owned())
}

fn take(reader: &mut BufReader<TcpStream>, length: usize, body: &mut Vec<u8>) -> Option<()> {
    let begin = body.len();
    body.resize(begin + length, 0);
    reader.read_exact(&mut body[begin..]).ok()
}
