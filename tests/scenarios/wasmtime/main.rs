//! The component on a host that is not ours, the `wasmtime` command line: nothing is lost, and the exit code tells.

mod delivery;
mod formats;
mod refusals;

use std::fs::File;
use std::io::{Seek, Write};

use cloudspout_tests::events::Event;
use cloudspout_tests::program::Program;
use cloudspout_tests::strict::{Journal, Strict};
use cloudspout_tests::wasmtime::component;

const GROUP: &str = "/tests/wasmtime";
const STREAM: &str = "standard input";
const DESTINATION: [&str; 4] = ["--group", GROUP, "--stream", STREAM];

/// The component, shipping to an endpoint.
fn ship(strict: &Strict) -> Program {
    component().args(&DESTINATION).to(&strict.url())
}

/// These bytes as an open file.
fn input(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(bytes).expect("the file takes them");
    file.rewind().expect("a file can be rewound");
    file
}

/// What arrived in the one log stream.
fn arrived(journal: &Journal) -> Vec<Event> {
    journal.stream(GROUP, STREAM)
}
