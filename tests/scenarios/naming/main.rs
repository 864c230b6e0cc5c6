//! Names of log groups and log streams, for containers of a real Docker daemon: whose way is followed, who may
//! choose, and what becomes of names that are taken or not allowed.

mod awslogs;
mod bounds;
mod documented;
mod names;
mod precedence;
mod routes;
mod sides;
mod sites;

use std::collections::BTreeMap;

use cloudspout_tests::docker::Docker;
use cloudspout_tests::program::{Outcome, Program};
use cloudspout_tests::strict::{Journal, Strict};

/// Ships what all containers have logged, with these options, and ends; what arrived, and how it ended.
fn once(docker: &Docker, options: &[&str]) -> (Arrived, Outcome) {
    once_with(docker, options, |program| program)
}

fn once_with(docker: &Docker, options: &[&str], with: impl FnOnce(Program) -> Program) -> (Arrived, Outcome) {
    let strict = Strict::start();
    let program = docker.program().arg("--once").args(options).to(&strict.url());
    let outcome = with(program).finish();
    (Arrived::of(&strict.stop()), outcome)
}

/// Where each message arrived, as `group/stream` with a bar between the two.
#[derive(Debug)]
struct Arrived(BTreeMap<String, String>);

impl Arrived {
    fn of(journal: &Journal) -> Self {
        journal.assert_well_formed();
        let mut places = BTreeMap::new();
        for request in &journal.0 {
            let (Some(group), Some(stream)) = (&request.group, &request.stream) else { continue };
            for event in &request.stored {
                let before = places.insert(event.message.clone(), format!("{group}|{stream}"));
                assert_eq!(before, None, "{} came twice", event.message);
            }
        }
        Self(places)
    }

    /// Panics unless exactly these messages arrived, each there.
    #[track_caller]
    fn assert(&self, expected: &[(&str, &str)]) {
        let expected = expected.iter().map(|(message, place)| ((*message).to_owned(), (*place).to_owned()));
        assert_eq!(self.0, expected.collect());
    }
}

/// The name of this machine.
fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").expect("a name").trim().to_owned()
}

/// A container's full id.
fn id(docker: &Docker, name: &str) -> String {
    let id = docker.docker(&["inspect", "--format", "{{.Id}}", name]);
    String::from_utf8(id).expect("UTF-8").trim().to_owned()
}
