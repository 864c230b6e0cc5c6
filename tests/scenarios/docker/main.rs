//! Containers of a real Docker daemon: what they write arrives, once, in order, byte for byte as the rules say.

mod daemon;
mod kinds;
mod lives;
mod multiline;
mod numbers;
mod outages;
mod own;
mod refusals;
mod restarts;
mod rotation;
mod shaping;

use cloudspout_tests::docker::{ARRIVAL, Docker, GROUP, SOURCES};
use cloudspout_tests::program::{Outcome, Program};

fn run(docker: &Docker, source: &str, url: &str) -> Program {
    docker.shipping(source, url)
}

/// Ships what there is, and ends.
fn once(docker: &Docker, source: &str, url: &str) -> Outcome {
    run(docker, source, url).arg("--once").finish().assert_code(0)
}
