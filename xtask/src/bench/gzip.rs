//! When compressing pays: CPU against bytes on the network.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Bench;
use crate::endpoint::Endpoint;
use crate::inputs::{Framing, Log, Text};
use crate::page::Table;
use crate::statistics::Series;

pub fn measure(bench: &Bench) -> Result<String, String> {
    let counted = Arc::new(AtomicU64::new(0));
    let endpoint = counting(Arc::clone(&counted))?;
    let mut table =
        Table::new(&["text", "plain: CPU s", "sent MB", "gzip: CPU s", "sent MB", "CPU ms a MB saved"]);
    for text in [Text::Plain, Text::Json, Text::Utf8] {
        let lines = bench.of(200_000);
        let file = Log::new(Framing::JsonFile, text, lines, 1_024).file(&bench.scratch)?;
        let mut series = [Series::default(), Series::default()];
        let mut sent = [0.0; 2];
        for _ in 0..3 {
            for (at, compression) in ["none", "gzip"].into_iter().enumerate() {
                let before = counted.load(Ordering::SeqCst);
                let usage =
                    bench.pipe(&file, &["json-file", "--compression", compression], lines, &endpoint)?;
                series[at].push(usage.cpu.0);
                sent[at] = (counted.load(Ordering::SeqCst) - before) as f64 / 1e6;
            }
        }
        let price = (series[1].median() - series[0].median()) * 1e3 / (sent[0] - sent[1]);
        table.row(&[
            format!("{}, 1 KB", text.name()),
            series[0].text(2),
            format!("{:.0}", sent[0]),
            series[1].text(2),
            format!("{:.0}", sent[1]),
            format!("{price:.1}"),
        ]);
    }
    Ok(table.into_text())
}

/// An endpoint within this process that accepts everything, and counts the bytes of bodies.
fn counting(counted: Arc<AtomicU64>) -> Result<Endpoint, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let counted = Arc::clone(&counted);
            // A connection that breaks off is the program's to notice.
            std::thread::spawn(move || serve(&connection, &counted));
        }
    });
    Ok(Endpoint::at(format!("http://{address}")))
}

fn serve(connection: &TcpStream, counted: &AtomicU64) -> std::io::Result<()> {
    let mut reader = BufReader::with_capacity(1 << 18, connection);
    let mut writer = connection;
    let mut length = 0;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line.trim().is_empty() {
            std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink())?;
            counted.fetch_add(length, Ordering::SeqCst);
            writer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")?;
        }
        line.clear();
    }
    Ok(())
}
