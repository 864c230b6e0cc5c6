//! The module in the real Envoy: requests in, events at an endpoint that checks every signature.

use std::time::Duration;

use cloudspout_tests::envoy::{Envoy, GROUP};
use cloudspout_tests::events::{Event, assert_same};
use cloudspout_tests::peers::{Local, Reader, read_back};

mod delivery;
mod lines;
mod lives;
mod refusals;
mod signing;

/// Ample for anything to arrive.
const SOON: Duration = Duration::from_secs(60);

/// Everything that has arrived in the usual log group, whatever the log stream.
fn arrived(local: &Local) -> Vec<Event> {
    arrived_in(GROUP, local)
}

fn arrived_in(group: &str, local: &Local) -> Vec<Event> {
    read_back(&local.url(), group, Reader::GetLogEvents).into_values().flatten().collect()
}

/// Panics unless each of these lines has arrived once.
fn assert_arrived(what: &str, local: &Local, lines: &[String]) {
    assert_arrived_in(GROUP, what, local, lines);
}

fn assert_arrived_in(group: &str, what: &str, local: &Local, lines: &[String]) {
    let mut arrived: Vec<_> = arrived_in(group, local).into_iter().map(|event| event.message).collect();
    let mut lines = lines.to_vec();
    // Workers send each for itself.
    arrived.sort();
    lines.sort();
    assert_same(what, &arrived, &lines);
}

/// Waits until nothing is pending any more.
fn settle(envoy: &Envoy, lines: usize) {
    envoy.wait_for("events_accepted", lines as u64, SOON);
    assert_eq!(envoy.stat("events_pending"), 0);
}
