//! The file system of the state directory runs full, or turns read-only: shipping goes on, and says what that means.

use cloudspout_tests::disk::Disk;
use cloudspout_tests::docker::{ARRIVAL, Docker, Feed, GROUP};
use cloudspout_tests::events::{assert_same, messages as of};
use cloudspout_tests::program::{PATIENCE, Shipping};
use cloudspout_tests::rules::{Way, messages};
use cloudspout_tests::strict::Strict;
use cloudspout_tests::text::lines;

use crate::with_state;

/// One container, one program after the other, and what has to have arrived.
struct Scene {
    docker: Docker,
    strict: Strict,
    disk: Disk,
    feed: Feed,
    written: Vec<Vec<String>>,
    expected: Vec<String>,
}

impl Scene {
    fn new(disk: Disk) -> Self {
        let docker = Docker::any();
        let feed = docker.feed("writer", &[]);
        Self { docker, strict: Strict::start(), disk, feed, written: Vec::new(), expected: Vec::new() }
    }

    fn start(&self) -> Shipping {
        with_state(&self.docker, "auto", &self.strict, &self.disk.path().join("state")).start()
    }

    /// Has the container write something, and waits until it has arrived.
    fn write(&mut self) {
        let text = lines(&format!("part {}", self.written.len()), 500);
        self.feed.out(&text);
        self.written.push(messages(&text, Way::JsonFile));
        self.expect(self.written.len() - 1);
    }

    /// Waits until everything from a part on has arrived; a part that was there before comes again.
    fn expect(&mut self, from: usize) {
        self.expected.extend(self.written.iter().skip(from).flatten().cloned());
        self.strict.wait_for_events(self.expected.len(), ARRIVAL);
    }

    fn end(self) {
        let journal = self.strict.stop();
        journal.assert_well_formed();
        assert_same("the disk", of(&journal.stream(GROUP, "writer")), &self.expected);
        self.feed.end(&self.docker);
    }
}

const CANNOT: &str = "positions cannot be stored";
const CAN_AGAIN: &str = "positions can be stored again";

#[test]
fn a_state_directory_that_turns_read_only_is_told_and_positions_stay_true() {
    let mut scene = Scene::new(Disk::in_a_file(16));
    let shipping = scene.start();
    scene.write();
    shipping.terminate().assert_code(0);
    let shipping = scene.start();
    scene.disk.turn_read_only();
    scene.write();
    shipping.wait_for_words(CANNOT, PATIENCE);
    scene.write();
    shipping.kill();
    // What was shipped since then is shipped again, and nothing from before.
    let shipping = scene.start();
    scene.expect(1);
    scene.write();
    let outcome = shipping.terminate();
    assert!(outcome.stderr.contains("can only be read"), "{}", outcome.stderr);
    outcome.assert_code(1);
    scene.disk.repair();
    let shipping = scene.start();
    scene.expect(1);
    scene.write();
    shipping.terminate().assert_code(0);
    let shipping = scene.start();
    scene.write();
    shipping.terminate().assert_code(0);
    scene.end();
}

#[test]
fn a_state_directory_without_room_is_told_and_used_once_there_is_room() {
    let mut scene = Scene::new(Disk::in_memory(8));
    std::fs::create_dir(scene.disk.path().join("state")).expect("a folder");
    scene.disk.fill();
    let shipping = scene.start();
    scene.write();
    shipping.wait_for_words(CANNOT, PATIENCE);
    scene.write();
    scene.disk.make_room();
    shipping.wait_for_words(CAN_AGAIN, PATIENCE);
    shipping.kill();
    let shipping = scene.start();
    scene.write();
    // Whether a full disk still takes a position depends on what is in its blocks already.
    scene.disk.fill();
    scene.write();
    scene.disk.make_room();
    scene.write();
    shipping.terminate().assert_code(0);
    let shipping = scene.start();
    scene.write();
    shipping.terminate().assert_code(0);
    scene.end();
}
