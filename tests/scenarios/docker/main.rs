//! Containers of a real Docker daemon: what they write arrives, once, in order, byte for byte as the rules say.

mod daemon;
mod kinds;
mod lives;
mod numbers;
mod outages;
mod refusals;
mod restarts;
mod rotation;

use std::time::Duration;

use cloudspout_tests::docker::Docker;
use cloudspout_tests::program::{Outcome, Program};

const GROUP: &str = "/tests/docker";
/// Ample for what any one of these scenarios ships.
const ARRIVAL: Duration = Duration::from_secs(90);
/// Both ways to a container's log.
const SOURCES: [&str; 2] = ["files", "api"];

/// `cloudspout run` to an endpoint, with a log stream a container.
fn run(docker: &Docker, source: &str, url: &str) -> Program {
    docker
        .program()
        .args(&["--source", source, "--group", GROUP, "--stream", "{{.Name}}", "--flush-after", "500ms"])
        .to(url)
}

/// Ships what there is, and ends.
fn once(docker: &Docker, source: &str, url: &str) -> Outcome {
    run(docker, source, url).arg("--once").finish().assert_code(0)
}
