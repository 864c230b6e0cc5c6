//! `cloudspout pipe`: standard input arrives, whatever the lines and however the endpoint behaves.

mod faults;
mod lines;
mod missing;
mod multiline;
mod shaping;
mod stopping;

use std::fs::File;
use std::io::{Seek, Write};

use cloudspout_tests::events::Event;
use cloudspout_tests::program::Program;
use cloudspout_tests::strict::{Journal, Strict};

const GROUP: &str = "/tests/pipe";
const STREAM: &str = "standard input";

/// `cloudspout pipe` to an endpoint.
fn pipe(strict: &Strict) -> Program {
    Program::new("pipe").args(&["--group", GROUP, "--stream", STREAM]).to(&strict.url())
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
