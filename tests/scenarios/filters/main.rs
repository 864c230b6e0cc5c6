//! Events that go through a filter: the examples do what they say, and one that misbehaves does no harm.

mod examples;
mod hostile;
mod tenants;

use std::io::{Seek, Write};
use std::path::Path;

use cloudspout_tests::program::Program;
use cloudspout_tests::strict::Strict;

const GROUP: &str = "/tests/filters";
const STREAM: &str = "standard input";

/// `cloudspout pipe` of these bytes, through a filter.
fn pipe(strict: &Strict, filter: &Path, bytes: &[u8]) -> Program {
    let mut input = tempfile::tempfile().expect("a temporary file");
    input.write_all(bytes).expect("the file takes them");
    input.rewind().expect("a file can be rewound");
    let filter = filter.to_str().expect("UTF-8");
    let names = ["--group", GROUP, "--stream", STREAM, "--filter", filter];
    Program::new("pipe").args(&names).to(&strict.url()).input(input)
}

/// The texts that arrived in a log group's stream.
fn arrived(strict: Strict, group: &str) -> Vec<String> {
    let journal = strict.stop();
    journal.assert_well_formed();
    journal.stream(group, STREAM).into_iter().map(|event| event.message).collect()
}
