//! Envoy with an access log: what a request costs without one, with Envoy's own to a file, and with ours.

use std::time::Duration;

use cloudspout_tests::envoy::{Place, Setup};
use serde_json::{Value, json};

use super::Bench;
use super::idle::resident_mib;
use crate::child;
use crate::endpoint::Endpoint;
use crate::page::Table;
use crate::statistics::Series;
use crate::wasm;

/// Who logs, and how Envoy is set up for it.
type Case = (&'static str, Setup);

const REQUESTS: u64 = 100_000;
const PATIENCE: Duration = Duration::from_secs(120);

pub fn measure(bench: &Bench) -> Result<String, String> {
    let module = wasm::ENVOY.build()?;
    let endpoint = Endpoint::start(&bench.program, &bench.scratch)?;
    let port = endpoint.url.rsplit(':').next().and_then(|port| port.parse().ok());
    let port = port.ok_or_else(|| format!("{}: no port", endpoint.url))?;
    let requests = bench.of(REQUESTS);
    let mut table = Table::new(&[
        "logs",
        "CPU a request, µs",
        "more than without, µs",
        "CPU of the start, s",
        "resident MiB",
    ]);
    let cases = cases();
    let mut figures: Vec<[Series; 3]> = cases.iter().map(|_| Default::default()).collect();
    for _ in 0..bench.rounds() {
        for ((_, setup), [cpu, start, memory]) in cases.iter().zip(&mut figures) {
            let envoy = setup.start(port);
            start.push(child::taken_by(envoy.id())?.0);
            // What is made once is made before it counts.
            let warm = envoy.requests("warm", 1_000).len() as u64;
            let before = child::taken_by(envoy.id())?;
            let count = usize::try_from(requests).map_err(|error| error.to_string())?;
            envoy.requests("bench", count);
            if matches!(setup.place, Place::AccessLog | Place::HttpFilter) {
                envoy.wait_for("events_accepted", warm + requests, PATIENCE);
            }
            cpu.push((child::taken_by(envoy.id())? - before).0 * 1e6 / requests as f64);
            memory.push(resident_mib(envoy.id())?);
            envoy.stop();
        }
    }
    let without = figures.first().map_or(0.0, |[cpu, ..]| cpu.median());
    for ((name, _), [cpu, start, memory]) in cases.iter().zip(&figures) {
        let more = match cpu.median() - without {
            0.0 => "-".to_owned(),
            more => format!("{more:.1}"),
        };
        let memory = format!("{:.0}", memory.highest());
        table.row(&[(*name).to_owned(), cpu.text(1), more, start.text(1), memory]);
    }
    let size = std::fs::metadata(&module).map_err(|error| error.to_string())?.len() as f64 / 1e6;
    table.note(&format!(
        "{requests} requests a case over 32 connections, answered by Envoy itself, which has one worker. The module is \
         {size:.1} MB; Envoy compiles it when it starts."
    ));
    Ok(table.into_text())
}

fn cases() -> Vec<Case> {
    let setup = |place, fields: Value| Setup { place, workers: 1, ..Setup::default().with(fields) };
    // None is chosen.
    let usual = json!({"line": null});
    let text = json!({"line": "{request.method} {request.path} {response.code}"});
    let credentials = vec![
        ("AWS_ACCESS_KEY_ID", "AKIDLOCAL".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "local-secret".to_owned()),
    ];
    let mut module = setup(Place::AccessLog, usual.clone()).with(json!({"signing": "module"}));
    module.variables = credentials;
    module.signer = false;
    vec![
        ("nobody", setup(Place::Absent, json!({}))),
        ("Envoy, to a file: JSON, 11 fields", setup(Place::FileLog, json!({}))),
        ("ours: a text, 3 attributes", setup(Place::AccessLog, text)),
        ("ours: the usual line, 11 attributes", setup(Place::AccessLog, usual.clone())),
        ("the same, signed by the module", module),
        ("the same as an HTTP filter, signed by Envoy", setup(Place::HttpFilter, usual)),
    ]
}
