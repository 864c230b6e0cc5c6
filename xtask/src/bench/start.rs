//! The start: from exec to the first request at the endpoint.

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::Bench;
use crate::child::{self, Usage};
use crate::endpoint::CREDENTIALS;
use crate::page::Table;
use crate::statistics::Series;

pub fn measure(bench: &Bench) -> Result<String, String> {
    let (mut wall, mut cpu, mut peak) = (Series::default(), Series::default(), Series::default());
    for _ in 0..2 * bench.rounds() {
        let (milliseconds, usage) = once(bench)?;
        wall.push(milliseconds);
        cpu.push(usage.cpu.0 * 1e3);
        peak.push(usage.peak_mib);
    }
    let mut table = Table::new(&["exec to first request, ms", "CPU of the whole run, ms", "peak MiB"]);
    table.row(&[wall.text(1), cpu.text(1), format!("{:.0}", peak.highest())]);
    Ok(table.into_text())
}

fn once(bench: &Bench) -> Result<(f64, Usage), String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let mut command = Command::new(&bench.program);
    command.args(["pipe", "--group", "bench", "--stream", "bench", "--endpoint-url"]);
    command.arg(format!("http://{address}")).envs(CREDENTIALS).env_remove("AWS_PROFILE");
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    let begin = Instant::now();
    let mut child = bench.start(&mut command)?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(b"one line\n").map_err(|error| error.to_string())?;
    }
    let (mut connection, _) = listener.accept().map_err(|error| error.to_string())?;
    // The first bytes of the request are there as soon as there is a connection.
    connection.peek(&mut [0]).map_err(|error| error.to_string())?;
    let elapsed = begin.elapsed().as_secs_f64() * 1e3;
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    read_request(&connection)?;
    connection.write_all(answer).map_err(|error| error.to_string())?;
    drop(connection);
    Ok((elapsed, child::wait(child, "cloudspout")?))
}

/// Reads a request with a short body to its end.
fn read_request(mut connection: &std::net::TcpStream) -> Result<(), String> {
    let mut request = Vec::new();
    let mut room = [0; 4096];
    while !request.ends_with(b"\"}]}") {
        match std::io::Read::read(&mut connection, &mut room) {
            Ok(0) => return Err("the program broke off".to_owned()),
            Ok(count) => request.extend(room.iter().take(count)),
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(())
}
