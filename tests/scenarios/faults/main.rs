//! Faults on real parts, while containers log: the program killed, the daemon killed, the endpoint, the network, the
//! state directory and the clock failing. What was written and what arrived are compared event by event.

mod clock;
mod daemon;
mod disk;
mod endpoint;
mod kills;
mod network;

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use cloudspout_tests::docker::{Docker, Feed};
use cloudspout_tests::program::Program;
use cloudspout_tests::strict::Strict;

/// `cloudspout run` from one of the sources, with its positions in a directory.
fn with_state(docker: &Docker, source: &str, strict: &Strict, state: &Path) -> Program {
    docker.shipping(source, &strict.url()).args(&["--state-dir", state.to_str().expect("UTF-8")])
}

/// Has a container write these bytes in so many parts, with a pause after each, so that it logs for a while.
fn write_slowly(feed: &mut Feed, bytes: &[u8], parts: usize, pause: Duration) {
    for part in bytes.chunks(bytes.len().div_ceil(parts)) {
        feed.offer(part);
        sleep(pause);
    }
}
