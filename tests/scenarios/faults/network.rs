//! The link to the endpoint goes down and comes back.

use std::thread::sleep;
use std::time::Duration;

use cloudspout_tests::docker::{ARRIVAL, Docker, GROUP, SOURCES};
use cloudspout_tests::events::{assert_same, messages as of};
use cloudspout_tests::network::{FAR, Network};
use cloudspout_tests::rules::{Way, messages};
use cloudspout_tests::strict::Strict;
use cloudspout_tests::text::lines;

use crate::write_slowly;

#[test]
fn a_link_that_is_down_for_a_while_loses_and_doubles_nothing() {
    for source in SOURCES {
        let docker = Docker::any();
        let network = Network::new();
        let strict = Strict::within(&network.far_end());
        let near = network.at_the_near_end();
        let program = docker.shipping(source, &format!("http://{FAR}:{}", strict.port()));
        let shipping = program.through(&near.each_ref().map(String::as_str)).start();
        let written = lines("cut off", 40_000);
        let mut feed = docker.feed("writer", &[]);
        std::thread::scope(|scope| {
            scope.spawn(|| write_slowly(&mut feed, &written, 200, Duration::from_millis(30)));
            for down in [1_500, 2_500] {
                strict.wait_for_events(strict.count("stored") as usize + 1_000, ARRIVAL);
                network.pull_out();
                sleep(Duration::from_millis(down));
                network.plug_in();
            }
        });
        let expected = messages(&written, Way::JsonFile);
        strict.settle(expected.len(), ARRIVAL);
        shipping.terminate().assert_code(0);
        let journal = strict.stop();
        journal.assert_well_formed();
        assert_same(source, of(&journal.stream(GROUP, "writer")), &expected);
        feed.end(&docker);
    }
}
